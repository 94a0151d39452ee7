/**
 * Derivatives of derivatives in every order of `grad`, `jvp` and `vjp`.
 *
 * A directional derivative ⟨∇f(x), v⟩ can be had from each of the three. A word of them, such as grad∘jvp∘vjp, is a mixed derivative of
 * higher order along as many directions. All words of one length are the same number (Schwarz), whichever direction each letter takes;
 * perturbations that were confused would show as a difference.
 */
import fc from 'fast-check'
import { grad, jvp, vjp } from '../src/autograd/index.ts'
import { call, checkpoint, customVjp } from '../src/tensor/annotate.ts'
import { concatenate, gather, stack } from '../src/tensor/combine.ts'
import { conv2d } from '../src/tensor/convolution.ts'
import { constant, onesLike, tensor } from '../src/tensor/create.ts'
import type { Device } from '../src/tensor/device.ts'
import { softmax } from '../src/tensor/softmax.ts'
import type { Tensor } from '../src/tensor/tensor.ts'
import { leaves, zipTrees } from '../src/tensor/tree.ts'
import type { Tally } from './tally.ts'

/** The arguments of a program: a tree of f64 tensors. */
interface Params {
  readonly w: Tensor
  readonly inner: readonly [b: Tensor, s: Tensor]
}

type Scalar = (params: Params) => Tensor

/** One step: an operation, two operands and a number for its attributes. */
interface Step {
  readonly op: number
  readonly a: number
  readonly b: number
  readonly c: number
}

const pick = <T>(from: readonly T[], i: number): T => from[i % from.length] as T

/** 0, 1, …, of − 1, 0, 1, …: part of the program. */
const tensorOfIndices = (count: number, of: number): Tensor =>
  constant(Int32Array.from({ length: count }, (_, i) => i % of))

/** `y` in the shape of `x`: repeated or cut. */
const fitted = (y: Tensor, x: Tensor): Tensor => {
  const index = tensorOfIndices(x.size, y.size)
  return gather(y.reshape([-1]), index).reshape(x.shape)
}

const matrix = (x: Tensor): Tensor => (x.rank === 2 ? x : x.reshape([1, -1]))

/** f(x)·f(x) with a derivative of its own, which is right. */
const squared = customVjp(
  (x: Tensor): Tensor => x.mul(x),
  ([x], g): [Tensor] => [g.mul(x).mul(2)],
)

type Operation = (x: Tensor, y: Tensor, c: number) => Tensor

/** Smooth operations, whose results stay small. */
const operations: Readonly<Record<string, Operation>> = {
  add: (x, y) => x.add(y),
  sub: (x, y) => x.sub(y.mul(0.5)),
  mul: (x, y) => x.tanh().mul(y),
  div: (x, y) => x.div(y.square().add(1)),
  sin: (x) => x.sin(),
  cos: (x) => x.cos(),
  exp: (x) => x.tanh().exp(),
  log: (x) => x.square().add(1).log(),
  sqrt: (x) => x.square().add(0.5).sqrt(),
  sigmoid: (x) => x.sigmoid(),
  erf: (x) => x.erf(),
  softmax: (x) => (x.rank === 0 ? x : softmax(x, 0)),
  sum: (x, _, c) => (x.rank === 0 ? x : x.sum(c % x.rank).tanh()),
  matmul: (x, y) =>
    matrix(x)
      .matmul(matrix(fitted(y, x)).transpose())
      .tanh(),
  transpose: (x) => x.transpose(),
  reverse: (x) => (x.rank === 0 ? x : x.reverse(0)),
  concatenate: (x, y) => (x.rank === 0 ? x : concatenate([x, y], 0)),
  slice: (x, _, c) => (x.rank === 0 ? x : x.slice([c % Math.min(2, x.shape[0] ?? 1), x.shape[0] ?? 1])),
  pad: (x, _, c) =>
    x.rank === 0 ? x : x.pad([c % 2, ...x.shape.slice(1).map(() => 0)], [1, ...x.shape.slice(1).map(() => 0)]),
  gather: (x, _, c) => (x.rank === 0 ? x : gather(x, tensorOfIndices(2, 1 + (c % (x.shape[0] ?? 1))))),
  conv: (x, y) =>
    conv2d(
      x.reshape([1, 1, -1, 1]),
      fitted(y, onesLike(x).reshape([-1]).slice([0, 1]).broadcastTo([2])).reshape([1, 2, 1, 1]),
      { padding: [0, 1] },
    ).tanh(),
  call: (x, y) => call('block', (p: Tensor, q: Tensor) => p.sin().mul(q))(x, y),
  checkpoint: (x, y) => checkpoint((p: Tensor) => p.mul(y).sin().mul(p.tanh()))(x),
  customVjp: (x) => squared(x.tanh()),
  grad: (x, y) => grad((p: Tensor) => p.mul(y).sin().mul(p).sum())(x).tanh(),
  jvp: (x, y) => jvp((p: Tensor) => p.sin().mul(p), [x], [y.tanh()]).tangent,
  vjp: (x, y) => vjp((p: Tensor) => p.cos().mul(p), x).pullback(y.tanh())[0],
}

const names = Object.keys(operations)

const run = (steps: readonly Step[], { w, inner: [b, s] }: Params): Tensor => {
  const values: Tensor[] = [w, b, s]
  for (const { op, a, b: second, c } of steps) {
    const x = c % 3 === 0 ? pick(values, a) : pick(values.slice(-3), a)
    const y = fitted(pick(values, second), x)
    const made = pick(Object.values(operations), op)(x, y, c)
    values.push(made.size > 40 ? made.reshape([-1]).slice([0, 40]) : made)
  }
  return values
    .slice(-4)
    .map((x, i) => x.sum().mul(1 / (i + 1)))
    .reduce((sum, x) => sum.add(x))
}

const dot = (a: Params, b: Params): Tensor =>
  leaves(zipTrees(a, b, (x, y) => x.mul(y).sum())).reduce((sum, x) => sum.add(x))

/** The derivative along `v` as each transform gives it. */
const letters: Readonly<Record<string, (v: Params) => (f: Scalar) => Scalar>> = {
  grad: (v) => (f) => (x) => dot(grad(f)(x), v),
  jvp: (v) => (f) => (x) => jvp(f, [x], [v]).tangent,
  vjp: (v) => (f) => (x) => {
    const { value, pullback } = vjp(f, x)
    return dot(pullback(onesLike(value))[0], v)
  },
}

/** All words of a length. */
const words = (length: number): readonly (readonly string[])[] =>
  length === 0 ? [[]] : words(length - 1).flatMap((word) => Object.keys(letters).map((letter) => [...word, letter]))

/** The mixed derivative that a word takes: its last letter is applied first, to f. */
const derivative = (word: readonly string[], directions: readonly Params[]): ((f: Scalar) => Scalar) =>
  word.reduceRight<(f: Scalar) => Scalar>(
    (rest, letter, i) => (f) => {
      const along = letters[letter]
      if (along === undefined) throw new Error(`there is no transform '${letter}'`)
      return along(pick(directions, i))(rest(f))
    },
    (f) => f,
  )

const parameters = (seed: number): Params => {
  const values = (n: number, phase: number): Float64Array =>
    Float64Array.from({ length: n }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * (seed + phase)))
  return {
    w: tensor(values(6, 0), { shape: [2, 3] }),
    inner: [tensor(values(3, 1)), tensor(values(1, 2), { shape: [] })],
  }
}

/** Relative tolerance between two words; 2e-15 was the worst of 4,320 measured. */
const tolerance = 1e-12

const worstOf = (numbers: readonly number[]): number => {
  const scale = Math.max(1, ...numbers.map(Math.abs))
  return (Math.max(...numbers) - Math.min(...numbers)) / scale
}

/** f64 programs of 4 to 12 smooth steps. */
const programs = fc.array(fc.record({ op: fc.nat(999), a: fc.nat(99), b: fc.nat(99), c: fc.nat(99) }), {
  minLength: 4,
  maxLength: 12,
})

/**
 * All words of 2 and 3 letters on random programs; for each of the two lengths the directions are also exchanged.
 *
 * @throws Error with the program's steps and the numbers, when two words differ
 */
export const orders = async (
  device: Device,
  options: { readonly seed: number; readonly runs: number },
): Promise<Tally> => {
  let [checks, worst, flat] = [0, 0, 0]
  const [u, v, w] = [parameters(1), parameters(2), parameters(3)]
  await fc.assert(
    fc.asyncProperty(programs, async (steps) => {
      const x = parameters(0)
      for (const directions of [
        [u, v],
        [u, v, w],
      ]) {
        const all = words(directions.length)
        const compiled = device.compile((p: Params, ds: readonly Params[]) =>
          stack([
            ...all.map((word) => derivative(word, ds)((q) => run(steps, q))(p)),
            ...all.map((word) => derivative(word, ds.toReversed())((q) => run(steps, q))(p)),
          ]),
        )
        const numbers = [...(await device.read(await compiled(x, directions)))]
        const error = worstOf(numbers) / tolerance
        if (!(error <= 1))
          throw new Error(
            `orders: ${steps.map((s) => pick(names, s.op)).join(' ')}: the words of ${directions.length} letters give ${[...new Set(numbers)].join(', ')}`,
          )
        checks += numbers.length
        if (Math.abs(numbers[0] ?? 0) < 1e-3) flat += 1
        worst = Math.max(worst, error)
      }
    }),
    { seed: options.seed, numRuns: options.runs },
  )
  // Zeros agree too: most programs must curve.
  if (flat > options.runs)
    throw new Error(`orders: ${flat} of ${2 * options.runs} derivatives are nearly 0; they prove nothing`)
  return { suite: 'orders', subject: 'words of grad, jvp and vjp', seed: options.seed, checks, worst }
}
