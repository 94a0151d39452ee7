/** The table of derivatives of chapter 2: what chooses, sums, moves, indexes and contracts, written out with indices. */
import fc from 'fast-check'
import { vjp } from '../../src/autograd/grad.ts'
import { argsort, concatenate, gather, scatterAdd } from '../../src/tensor/combine.ts'
import { cumsum } from '../../src/tensor/cumsum.ts'
import { tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { agree, at, forAll, read, sum, together, upTo, vectors, type Equation, type Outcome } from './equation.ts'
import { cotangents, f64 } from './derivatives.ts'

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
export const structural: readonly Equation[] = [...movements, ...indexing]

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
  movement(
    '2.31',
    '`cumsum`; yᵢ = Σⱼ xⱼ over j ≤ i; Σⱼ gⱼ over j ≥ i',
    'running sums of each column, and their pullback, as sums over slices',
    async (x, g) => {
      const { y, back } = await pulled((z) => cumsum(z, 0), x, [rows, columns], g)
      const column = (v: readonly number[], k: number): readonly number[] => v.filter((_, i) => (i - k) % columns === 0)
      const row = (k: number): number => Math.floor(k / columns)
      return together([
        agree(
          1e-14,
          y,
          x.map((_, k) => sum(column(x, k).slice(0, row(k) + 1))),
        ),
        agree(
          1e-14,
          back,
          x.map((_, k) => sum(column(g, k).slice(row(k), rows))),
        ),
      ])
    },
  ),
]
