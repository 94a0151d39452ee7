/**
 * The table of derivatives of chapter 2. Each row is held twice: src's cotangent against the printed one in plain
 * numbers, and the printed one against finite differences of the function itself.
 */
import fc from 'fast-check'
import { vjp } from '../../src/autograd/grad.ts'
import { tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import {
  agree,
  at,
  forAll,
  holds,
  read,
  real,
  slope,
  together,
  vectors,
  type Equation,
  type Outcome,
} from './equation.ts'

/** Numbers as an f64 tensor. */
export const f64 = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor =>
  tensor([...values], { dtype: 'f64' }).reshape(shape)

/** Cotangents of the arguments, each as plain numbers. */
export const cotangents = async (
  f: (...xs: Tensor[]) => Tensor,
  xs: readonly Tensor[],
  g: Tensor,
): Promise<readonly (readonly number[])[]> =>
  Promise.all(
    vjp(f, ...xs)
      .pullback(g)
      .map(read),
  )

interface Unary {
  readonly number: string
  readonly name: string
  /** As the page prints y and the cotangent. */
  readonly printed: readonly [y: string, cotangent: string]
  readonly method: (x: Tensor) => Tensor
  readonly y: (x: number) => number
  readonly cotangent: (g: number, x: number, y: number) => number
  readonly domain?: readonly [low: number, high: number]
}

const unary = ({ number, name, printed, method, y, cotangent, domain = [-2, 2] }: Unary): Equation => ({
  number,
  statement: `\`${name}\`; ${printed.join('; ')}`,
  source: 'calculus',
  by: 'the pullback in f64 against the printed cotangent, and that against finite differences of y',
  check: () =>
    forAll(fc.tuple(vectors(3, ...domain), vectors(3)), async ([x, g]) => {
      const [back = []] = await cotangents((z) => method(z), [f64(x)], f64(g))
      const expected = x.map((v, i) => cotangent(at(g, i), v, y(v)))
      const numeric = x.map((v, i) => at(g, i) * slope(y, v))
      return together([
        agree(1e-12, await read(method(f64(x))), x.map(y)),
        agree(1e-12, back, expected),
        agree(1e-8, expected, numeric),
      ])
    }),
})

/** By its power series: erf x = (2/√π) Σ (−1)ⁿ x^(2n + 1) / (n! (2n + 1)). */
const erf = (x: number): number => {
  let [power, total] = [x, x]
  for (let n = 1; n < 60; n++) {
    power *= (-x * x) / n
    total += power / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * total
}

const unaries: readonly Equation[] = (
  [
    ['2.3', 'neg', ['−x', '−g'], (x) => x.neg(), (x) => -x, (g) => -g],
    ['2.4', 'exp', ['eˣ', 'g·y'], (x) => x.exp(), Math.exp, (g, _, y) => g * y],
    ['2.5', 'log', ['ln x', 'g/x'], (x) => x.log(), Math.log, (g, x) => g / x, [0.2, 3]],
    ['2.6', 'sqrt', ['√x', 'g/(2y)'], (x) => x.sqrt(), Math.sqrt, (g, _, y) => g / (2 * y), [0.2, 3]],
    ['2.7', 'sin', ['sin x', 'g·cos x'], (x) => x.sin(), Math.sin, (g, x) => g * Math.cos(x)],
    ['2.8', 'cos', ['cos x', '−g·sin x'], (x) => x.cos(), Math.cos, (g, x) => -g * Math.sin(x)],
    ['2.9', 'tanh', ['tanh x', 'g·(1 − y²)'], (x) => x.tanh(), Math.tanh, (g, _, y) => g * (1 - y * y)],
    [
      '2.10',
      'logistic',
      ['1/(1 + e⁻ˣ)', 'g·y·(1 − y)'],
      (x) => x.sigmoid(),
      (x) => 1 / (1 + Math.exp(-x)),
      (g, _, y) => g * y * (1 - y),
    ],
    [
      '2.11',
      'erf',
      ['(2/√π)·∫₀ˣ exp(−s²) ds', 'g·(2/√π)·exp(−x²)'],
      (x) => x.erf(),
      erf,
      (g, x) => ((g * 2) / Math.sqrt(Math.PI)) * Math.exp(-x * x),
    ],
  ] as readonly (readonly [
    string,
    string,
    Unary['printed'],
    Unary['method'],
    Unary['y'],
    Unary['cotangent'],
    Unary['domain']?,
  ])[]
).map(([number, name, printed, method, y, cotangent, domain]) =>
  unary({ number, name, printed, method, y, cotangent, ...(domain === undefined ? {} : { domain }) }),
)

interface Binary {
  readonly number: string
  readonly statement: string
  readonly method: (a: Tensor, b: Tensor) => Tensor
  readonly y: (a: number, b: number) => number
  readonly cotangents: (g: number, a: number, b: number) => readonly [number, number]
  /** Pairs away from where the function is not differentiable. */
  readonly pairs?: fc.Arbitrary<readonly [number, number]>
}

const anyPair: fc.Arbitrary<readonly [number, number]> = fc.tuple(real(), real(0.3, 2))

/** Pairs whose quotient is not within 0.05 of a whole number; both signs. */
const quotients = fc
  .tuple(fc.integer({ min: -4, max: 4 }), real(0.05, 0.95), real(0.3, 2), fc.boolean())
  .map(([whole, rest, b, negative]): readonly [number, number] => [(whole + rest) * b, negative ? -b : b])

/** Pairs that differ by more than the stencil is wide. */
const apart = fc
  .tuple(real(), real(0.1, 1), fc.boolean())
  .map(([a, by, up]): readonly [number, number] => [a, up ? a + by : a - by])

const binary = (entry: Binary, more: () => Promise<Outcome> = () => Promise.resolve(holds(true, ''))): Equation => ({
  number: entry.number,
  statement: entry.statement,
  source: 'calculus',
  by: 'the pullback in f64 against the printed cotangents, and those against finite differences of y',
  check: async () =>
    together([
      await forAll(fc.tuple(entry.pairs ?? anyPair, real()), async ([[a, b], g]) => {
        const f = (x: Tensor | undefined, y: Tensor | undefined): Tensor => entry.method(x as Tensor, y as Tensor)
        const back = (await cotangents(f, [f64([a]), f64([b])], f64([g]))).map((c) => at(c, 0))
        const expected = entry.cotangents(g, a, b)
        const numeric = [g * slope((x) => entry.y(x, b), a), g * slope((x) => entry.y(a, x), b)]
        return together([
          agree(1e-12, await read(entry.method(f64([a]), f64([b]))), [entry.y(a, b)]),
          agree(1e-12, back, expected),
          agree(1e-7, expected, numeric),
        ])
      }),
      await more(),
    ]),
})

/** a − b·trunc(a/b), which JavaScript has as %. */
const rem = (a: number, b: number): number => a - b * Math.trunc(a / b)

const equalElements = async (): Promise<Outcome> => {
  const back = await cotangents((a, b) => a.maximum(b), [f64([1.5, -2]), f64([1.5, -2])], f64([4, 6]))
  return agree(0, back.flat(), [2, 3, 2, 3])
}

const binaries: readonly Equation[] = [
  binary({
    number: '2.12',
    statement: '`add`; a + b; g; g',
    method: (a, b) => a.add(b),
    y: (a, b) => a + b,
    cotangents: (g) => [g, g],
  }),
  binary({
    number: '2.13',
    statement: '`mul`; a·b; g·b; g·a',
    method: (a, b) => a.mul(b),
    y: (a, b) => a * b,
    cotangents: (g, a, b) => [g * b, g * a],
  }),
  binary({
    number: '2.14',
    statement: '`div`; a/b; g/b; −g·y/b',
    method: (a, b) => a.div(b),
    y: (a, b) => a / b,
    cotangents: (g, a, b) => [g / b, (-g * (a / b)) / b],
  }),
  binary({
    number: '2.15',
    statement: '`rem`; a − b·trunc(a/b); g; −g·trunc(a/b)',
    method: (a, b) => a.rem(b),
    y: rem,
    cotangents: (g, a, b) => [g, -g * Math.trunc(a / b)],
    pairs: quotients,
  }),
  {
    ...binary(
      {
        number: '2.16',
        statement: '`max`; max(a, b); g where a > b, g/2 where a = b, else 0; g where b > a, g/2 where a = b, else 0',
        method: (a, b) => a.maximum(b),
        y: Math.max,
        cotangents: (g, a, b) => [a > b ? g : 0, b > a ? g : 0],
        pairs: apart,
      },
      equalElements,
    ),
    source: 'calculus; the half is a convention',
  },
]

/** The entries. */
export const elementwise: readonly Equation[] = [...unaries, ...binaries]
