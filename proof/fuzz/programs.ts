/**
 * Random programs: lists of steps, each of which applies a primitive or a derived operation to values made before. What does not fit
 * (a result of more than 600 elements, a missing dtype) becomes a negation, so that every list is a program.
 */
import fc from 'fast-check'
import type { DType } from '../../src/graph/dtype.ts'
import { makeNode } from '../../src/graph/node.ts'
import { call, checkpoint } from '../../src/tensor/annotate.ts'
import { argsort, concatenate, gather, scatterAdd, sort } from '../../src/tensor/combine.ts'
import { conv2d } from '../../src/tensor/convolution.ts'
import { constant, full, iota } from '../../src/tensor/create.ts'
import { softmax } from '../../src/tensor/functions.ts'
import { Tensor } from '../../src/tensor/tensor.ts'

/** One step: an operation and four numbers from which operands and attributes are taken. */
export interface Step {
  readonly op: number
  readonly a: number
  readonly b: number
  readonly c: number
  readonly d: number
}

/** Values so far, of one dtype. */
type Values = readonly Tensor[]

const pick = <T>(from: readonly T[], i: number): T => {
  const found = from[i % from.length]
  if (found === undefined) throw new Error('nothing to pick from')
  return found
}

const ofType = (values: Values, dtype: DType, i: number, like: Tensor): Tensor => {
  const found = values.filter((v) => v.dtype === dtype)
  return found.length > 0 ? pick(found, i) : like.cast(dtype)
}

/** `y` made to the shape of `x`: broadcast where it fits, else cut or repeated. */
const fitted = (y: Tensor, x: Tensor): Tensor => {
  try {
    return y.broadcastTo(x.shape)
  } catch {
    return y.size === 0 ? full(x.shape, 3, y.dtype) : gather(y.reshape([-1]), iota([x.size], 0)).reshape(x.shape)
  }
}

/** Finite and moderate: convolutions multiply padding, and 0·∞ is not a number. */
const tame = (x: Tensor): Tensor => x.abs().less(8).select(x, 1)

const axis = (x: Tensor, i: number): number => (x.rank === 0 ? 0 : i % x.rank)

const float = (x: Tensor): Tensor => (x.dtype === 'f32' || x.dtype === 'f64' || x.dtype === 'f16' ? x : x.cast('f32'))

const factors = (n: number, i: number): number =>
  pick(
    [1, 2, 3, 4, 5, 6].filter((k) => n % k === 0),
    i,
  )

const permutation = (rank: number, i: number): readonly number[] =>
  Array.from({ length: rank }, (_, a) => (a + i) % Math.max(1, rank))

type Operation = (x: Tensor, y: Tensor, s: Step, values: Values) => Tensor

const elementwise: readonly Operation[] = [
  (x, y) => x.add(y),
  (x, y) => x.mul(y),
  (x, y) => x.sub(y),
  (x, y) => float(x).div(float(y).cast(float(x).dtype).abs().add(1)),
  (x, y) => x.maximum(y),
  (x, y) => x.less(y).select(x, y),
  (x) => float(x).tanh(),
  (x) => float(x).abs().neg().exp(),
  (x) => float(x).abs().add(0.5).log(),
  (x) => float(x).abs().sqrt(),
  (x) => float(x).sin(),
  (x) => float(x).cos().floor(),
  (x) => float(x).sigmoid(),
  (x) => float(x).erf(),
  (x) => x.neg(),
  (x, _, s) => x.mul(pick([0.5, 1, -1, 2], s.c)),
  (x, _, s) => x.cast(pick(['f32', 'f32', 'f16', 'f64', 'i32', 'u32', 'u8'] as const, s.c)),
  (x, y, s) =>
    x.cast('i32')[pick(['and', 'or', 'xor', 'shiftLeft', 'shiftRight', 'rem', 'div'] as const, s.c)](y.cast('i32')),
  (x, y, s) =>
    x.cast('u32')[pick(['and', 'or', 'xor', 'shiftLeft', 'shiftRight', 'rem', 'div'] as const, s.c)](y.cast('u32')),
  (x, y) => x.equal(y).not().cast(x.dtype).add(y),
  (x) => x.cast('f32').bitcast('i32').shiftRight(9),
  (x, _, s) => (x.rank === 0 ? x.add(1) : iota(x.shape, axis(x, s.c), x.dtype).add(x)),
  (x) => x.stopGradient().add(x),
  (x) => new Tensor(makeNode('alias', {}, [x.node])),
  (x, y) => new Tensor(makeNode('barrier', {}, [x.node, y.node])),
  (x, y) => call('difference', (p: Tensor, q: Tensor) => p.sub(q).mul(p))(x, y),
  (x, y) =>
    checkpoint((p: Tensor) =>
      float(p)
        .sin()
        .mul(y.cast(float(p).dtype)),
    )(x),
]

const shaping: readonly Operation[] = [
  (x, _, s) => x.reshape([factors(x.size, s.c), -1]),
  (x) => x.reshape([x.size]),
  (x, _, s) => x.transpose(permutation(x.rank, s.c)),
  (x) => x.transpose(),
  (x, _, s) => x.expandDims(s.c % (x.rank + 1)),
  (x, _, s) =>
    x
      .expandDims(s.c % (x.rank + 1))
      .broadcastTo([...x.shape.slice(0, s.c % (x.rank + 1)), 1 + (s.d % 3), ...x.shape.slice(s.c % (x.rank + 1))]),
  (x, _, s) => (x.rank === 0 ? x : x.reverse(axis(x, s.c))),
  (x, _, s) => x.slice(...x.shape.map((n, a) => [Math.min(n, (s.c + a) % 2), n, 1 + ((s.d + a) % 2)] as const)),
  (x, _, s) =>
    x.pad(
      x.shape.map((__, a) => (s.c + a) % 2),
      x.shape.map((__, a) => (s.d + a) % 2),
      x.shape.map((__, a) => (s.b + a) % 2),
    ),
  (x, y, s) => (x.rank === 0 ? x : concatenate([x, y, x], axis(x, s.c))),
]

const reducing: readonly Operation[] = [
  (x, _, s) => (x.rank === 0 ? x : x.sum(axis(x, s.c))),
  (x, _, s) => (x.rank === 0 ? x : x.sum(axis(x, s.c), true)),
  (x, _, s) => (x.rank === 0 ? x : x.max(axis(x, s.c))),
  (x) => x.sum(),
  (x, _, s) => (x.rank === 0 ? x : softmax(tame(float(x)), axis(x, s.c))),
  (x, _, s) => (x.rank === 0 ? x : argsort(x, axis(x, s.c))),
  (x) => (x.rank === 0 ? x : sort(x)),
  (x, _, s, values) =>
    x.rank === 0 || (x.shape[axis(x, s.c)] ?? 0) === 0 ? x : gather(x, ofType(values, 'i32', s.d, x), axis(x, s.c)),
  (x, y, s) =>
    x.rank === 0
      ? x
      : scatterAdd(
          y
            .reshape([-1])
            .slice([0, x.shape[0] ?? 0])
            .cast('i32')
            .and(3),
          x,
          4 + (s.c % 2),
        ),
  (x, y) =>
    x.rank < 2
      ? x
      : tame(x).matmul(tame(y).transpose([...Array.from({ length: x.rank - 2 }, (_, i) => i), x.rank - 1, x.rank - 2])),
  (x, y) => (x.rank !== 2 ? x : x.matmul(y.transpose())),
  (x, y, s) => {
    const images = tame(float(x)).reshape([1, factors(x.size, s.c), -1, 1])
    const filter = gather(tame(float(y).cast(images.dtype)).reshape([-1]), iota([8], 0)).reshape([2, 2, 1, 2])
    return y.size === 0
      ? x
      : conv2d(images, filter, { stride: [1 + (s.d % 2), 1], padding: [s.b % 2, s.c % 2], dilation: 1 + (s.a % 2) })
  },
]

const operations: readonly Operation[] = [...elementwise, ...elementwise, ...shaping, ...reducing]

const apply = (s: Step, values: Values): Tensor => {
  const x = pick(values, s.a)
  const y = fitted(ofType(values, x.dtype, s.b, x), x)
  const result = ((): Tensor => {
    try {
      return pick(operations, s.op)(x, y, s, values)
    } catch (e) {
      if (e instanceof RangeError || e instanceof TypeError) throw e
      return x.dtype === 'bool' ? x.not() : x.neg() // the operation does not take this dtype or shape
    }
  })()
  return result.size > 600 || result.rank > 6 ? x.reshape([-1]) : result
}

/** A program of `min` to `max` steps. */
export const programs = (min: number, max: number): fc.Arbitrary<readonly Step[]> => {
  const n = fc.nat(1000)
  return fc.array(fc.record({ op: n, a: n, b: n, c: n, d: n }), { minLength: min, maxLength: max })
}

/** All values that the program makes of its inputs, in order; a literal and an iota stand before them. */
export const runProgram = (steps: readonly Step[], inputs: Values): Values => {
  const values: Tensor[] = [constant([[1, -2, 3]], { dtype: 'f32' }), iota([2, 3], 1), ...inputs]
  // Recent values are likelier operands: programs become deep, and some values are still used many times.
  for (const s of steps) values.push(apply({ ...s, a: s.c % 3 === 0 ? s.a : values.length - 1 - (s.a % 3) }, values))
  return values
}
