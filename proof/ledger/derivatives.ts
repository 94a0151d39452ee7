/**
 * The table of derivatives of chapter 2. Each row is held twice: src's cotangent against the printed one in plain
 * numbers, and the printed one against finite differences of the function itself.
 */
import fc from 'fast-check'
import { vjp } from '../../src/autograd/grad.ts'
import { argsort, concatenate, gather, scatterAdd } from '../../src/tensor/combine.ts'
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
  sum,
  together,
  upTo,
  vectors,
  type Equation,
  type Outcome,
} from './equation.ts'

const f64 = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor =>
  tensor([...values], { dtype: 'f64' }).reshape(shape)

/** Cotangents of the arguments, each as plain numbers. */
const cotangents = async (
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

/** A row of the table for an operation that moves or sums elements: expected cotangents are written out with indices. */
const movement = (
  number: string,
  statement: string,
  by: string,
  law: (x: readonly number[], g: readonly number[]) => Promise<Outcome>,
): Equation => ({
  number,
  statement,
  source: 'own derivation',
  by,
  check: () => forAll(fc.tuple(vectors(12), vectors(36)), ([x, g]) => law(x, g)),
})

/** One cotangent of f at x in the shape, for the first elements of g. */
const pulled = async (
  f: (x: Tensor) => Tensor,
  x: readonly number[],
  shape: readonly number[],
  g: readonly number[],
): Promise<{ readonly y: readonly number[]; readonly back: readonly number[]; readonly g: readonly number[] }> => {
  const { value, pullback } = vjp(f, f64(x, shape))
  const used = g.slice(0, value.size)
  const [back] = pullback(f64(used, value.shape))
  return { y: await read(value), back: await read(back), g: used }
}

const rows = 3
const columns = 4

const movements: readonly Equation[] = [
  movement(
    '2.17',
    '`where`; a where c, else b; none; g where c, else 0; 0 where c, else g',
    'the pullback of `select` on random masks, exactly',
    async (x, g) => {
      const mask = x.map((v) => v > 0)
      const c = tensor(mask.map(Number), { dtype: 'bool' })
      const back = await cotangents((a, b) => c.select(a, b), [f64(x), f64(x)], f64(g.slice(0, 12)))
      const expected = [mask.map((m, i) => (m ? at(g, i) : 0)), mask.map((m, i) => (m ? 0 : at(g, i)))]
      return agree(0, back.flat(), expected.flat())
    },
  ),
  movement('2.18', '`reduceSum`; Σⱼ xⱼ; g for every xⱼ', 'the pullback of sums over rows, exactly', async (x, g) => {
    const { y, back } = await pulled((z) => z.sum(1), x, [rows, columns], g)
    return together([
      agree(
        1e-14,
        y,
        upTo(rows).map((i) => sum(x.slice(columns * i, columns * i + columns))),
      ),
      agree(
        0,
        back,
        x.map((_, k) => at(g, Math.floor(k / columns))),
      ),
    ])
  }),
  movement(
    '2.19',
    '`reduceMax`; maxⱼ xⱼ; g shared equally by the xⱼ that equal y, 0 for others',
    'the pullback of maxima over rows of whole numbers, which are often equal',
    async (x, g) => {
      const whole = x.map(Math.round)
      const { y, back } = await pulled((z) => z.max(1), whole, [rows, columns], g)
      const row = (i: number): readonly number[] => whole.slice(columns * i, columns * i + columns)
      const expected = whole.map((v, k) => {
        const i = Math.floor(k / columns)
        const most = Math.max(...row(i))
        return v === most ? at(g, i) / row(i).filter((w) => w === most).length : 0
      })
      return together([
        agree(
          0,
          y,
          upTo(rows).map((i) => Math.max(...row(i))),
        ),
        agree(1e-15, back, expected),
      ])
    },
  ),
  movement('2.20', '`broadcast`; yⱼ = x for every j; Σⱼ gⱼ', 'the pullback of repeating rows', async (x, g) => {
    const { y, back } = await pulled((z) => z.broadcastTo([3, 12]), x, [12], g)
    return together([
      agree(0, y, [...x, ...x, ...x]),
      agree(
        1e-14,
        back,
        x.map((_, i) => at(g, i) + at(g, i + 12) + at(g, i + 24)),
      ),
    ])
  }),
  movement(
    '2.21',
    '`reshape`, `transpose`, `reverse`; y = Px, P a permutation of the elements; Pᵀg',
    'P read off from the values of 0 … 11, then Pᵀg element by element, exactly',
    async (x, g) => {
      const maps: readonly ((z: Tensor) => Tensor)[] = [
        (z) => z.reshape([2, 6]),
        (z) => z.transpose([1, 0]),
        (z) => z.reverse([0]),
        (z) => z.reverse([0, 1]).transpose([1, 0]).reshape([12]),
      ]
      const outcomes = maps.map(async (map) => {
        const from = await read(map(f64(upTo(12), [rows, columns])))
        const { y, back } = await pulled(map, x, [rows, columns], g)
        return together([
          agree(
            0,
            y,
            from.map((j) => at(x, j)),
          ),
          agree(
            0,
            back,
            upTo(12).map((j) => at(g, from.indexOf(j))),
          ),
        ])
      })
      return together(await Promise.all(outcomes))
    },
  ),
]

const indexing: readonly Equation[] = [
  movement(
    '2.22',
    '`pad`; y[low + (interior + 1)·i] = x[i], else 0; g[low + (interior + 1)·i]',
    '`pad` by 2 below, 1 above and 1 between, and its pullback, exactly',
    async (x, g) => {
      const { y, back } = await pulled((z) => z.pad([2], [1], [1]), x, [12], g)
      return together([
        agree(
          0,
          y,
          upTo(26).map((k) => (k >= 2 && k < 25 && k % 2 === 0 ? at(x, (k - 2) / 2) : 0)),
        ),
        agree(
          0,
          back,
          x.map((_, i) => at(g, 2 + 2 * i)),
        ),
      ])
    },
  ),
  movement(
    '2.23',
    '`slice`; y[i] = x[start + stride·i]; g[i] at start + stride·i, else 0',
    'the pullback of a slice from 1 with stride 3, exactly',
    async (x, g) => {
      const { y, back } = await pulled((z) => z.slice([1, 11, 3]), x, [12], g)
      return together([
        agree(
          0,
          y,
          [1, 4, 7, 10].map((k) => at(x, k)),
        ),
        agree(
          0,
          back,
          x.map((_, k) => (k % 3 === 1 ? at(g, (k - 1) / 3) : 0)),
        ),
      ])
    },
  ),
  movement(
    '2.24',
    '`concatenate`; (a, b, …); the parts of g at the places of a; of b; …',
    'the pullback of three parts of different lengths, exactly',
    async (x, g) => {
      const parts = [f64(x.slice(0, 3)), f64(x.slice(3, 8)), f64(x.slice(8))]
      const back = await cotangents((...xs) => concatenate(xs, 0), parts, f64(g.slice(0, 12)))
      return agree(0, back.flat(), g.slice(0, 12))
    },
  ),
  movement(
    '2.25',
    '`gather`; y[i] = x[index[i]]; Σ g[i] over the i with index[i] = j, for x[j]; none',
    'the pullback of rows taken by an index with repetitions',
    async (x, g) => {
      const index = [2, 0, 2, 2, 1]
      const { y, back } = await pulled((z) => gather(z, tensor(index, { dtype: 'i32' })), x, [rows, columns], g)
      const expected = x.map((_, k) => {
        const [j, c] = [Math.floor(k / columns), k % columns]
        return sum(index.map((from, i) => (from === j ? at(g, i * columns + c) : 0)))
      })
      return together([
        agree(
          0,
          y,
          index.flatMap((j) => x.slice(j * columns, j * columns + columns)),
        ),
        agree(1e-14, back, expected),
      ])
    },
  ),
  movement(
    '2.26',
    '`scatterAdd`; y[j] = Σ x[i] over the i with index[i] = j; none; g[index[i]]',
    'sums of rows by an index with repetitions, and their pullback',
    async (x, g) => {
      const index = [1, 4, 1]
      const { y, back } = await pulled((z) => scatterAdd(tensor(index, { dtype: 'i32' }), z, 5), x, [rows, columns], g)
      const row = (j: number, c: number): number => sum(index.map((to, i) => (to === j ? at(x, i * columns + c) : 0)))
      return together([
        agree(
          1e-14,
          y,
          upTo(20).map((k) => row(Math.floor(k / columns), k % columns)),
        ),
        agree(
          0,
          back,
          x.map((_, k) => at(g, at(index, Math.floor(k / columns)) * columns + (k % columns))),
        ),
      ])
    },
  ),
  movement(
    '2.27',
    '`dotGeneral`; AB; gBᵀ; Aᵀg',
    'products of 3×4 with 4×2 matrices as sums over indices',
    async (x, g) => {
      const [a, b, h] = [x, g.slice(0, 8), g.slice(8, 14)]
      const back = await cotangents((m, n) => m.matmul(n), [f64(a, [3, 4]), f64(b, [4, 2])], f64(h, [3, 2]))
      const first = a.map((_, k) => {
        const [i, j] = [Math.floor(k / 4), k % 4]
        return at(h, 2 * i) * at(b, 2 * j) + at(h, 2 * i + 1) * at(b, 2 * j + 1)
      })
      const second = b.map((_, k) =>
        sum([0, 1, 2].map((i) => at(a, 4 * i + Math.floor(k / 2)) * at(h, 2 * i + (k % 2)))),
      )
      return agree(1e-13, back.flat(), [...first, ...second])
    },
  ),
]

const silent: readonly ((x: Tensor) => Tensor)[] = [
  (x) => x.stopGradient(),
  (x) => x.floor(),
  (x) => argsort(x).cast('f64'),
  (x) => x.less(0).cast('f64'),
  (x) => x.equal(0).cast('f64'),
  (x) => x.cast('i32').cast('f64'),
  (x) => x.cast('i32').and(3).shiftLeft(1).cast('f64'),
]

/** The entries. */
export const derivatives: readonly Equation[] = [...unaries, ...binaries, ...movements, ...indexing]

/** The last rows of the table. */
export const passing: readonly Equation[] = [
  movement(
    '2.29',
    '`cast` of floats, `alias`, `barrier`; x; g',
    'the pullback through f32 and back, of numbers that f32 holds; `alias` is in every transformed function',
    async (x, g) => {
      const halves = g.slice(0, 12).map((v) => Math.fround(v))
      const cast = await pulled((z) => z.cast('f32').cast('f64'), x, [12], halves)
      const plain = await pulled((z) => z, x, [12], g)
      return together([agree(0, cast.back, halves), agree(0, plain.y, x), agree(0, plain.back, plain.g)])
    },
  ),
  movement(
    '2.30',
    '`stopGradient`, `floor`, `argsort`, comparisons, integers; none',
    'the pullback of x·f(x) for seven such f: g·f(x), and nothing from f',
    async (x, g) => {
      const outcomes = silent.map(async (f) => {
        const away = x.map((v) => (Math.abs(v - Math.round(v)) < 1e-9 ? v + 0.25 : v))
        const { back } = await pulled((z) => z.mul(f(z)), away, [12], g)
        const value = await read(f(f64(away)))
        return agree(
          1e-15,
          back,
          value.map((v, i) => v * at(g, i)),
        )
      })
      return together(await Promise.all(outcomes))
    },
  ),
]
