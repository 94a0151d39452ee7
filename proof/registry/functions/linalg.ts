/** Linear algebra: elimination in plain loops, of matrices that are far from singular. */
import fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import { concatenate } from '../../../src/tensor/combine.ts'
import {
  cholesky,
  det,
  inverse,
  logDet,
  lstsq,
  qr,
  slogDet,
  solve,
  solveTriangular,
  type TriangularOptions,
} from '../../../src/tensor/linalg/index.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { arrays, count, elementAt, stored, type NdArray } from '../../array.ts'
import {
  badDType,
  badShape,
  entry,
  one,
  table,
  wide,
  type Case,
  type Entry,
  type Expected,
  type Misuse,
} from '../entry.ts'
import { sum } from '../primitives/reduction.ts'

type Matrix = readonly (readonly number[])[]

const upTo = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i)

const length = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max })

const entryAt = (m: Matrix, i: number, j: number): number => m[i]?.[j] ?? NaN

const transposed = (m: Matrix, columns: number): Matrix => upTo(columns).map((j) => m.map((row) => row[j] ?? NaN))

/** The rows of the matrix at a place of the batch. */
const matrixAt = (x: NdArray, batch: readonly number[]): Matrix => {
  const [m = 0, n = 0] = x.shape.slice(-2)
  return upTo(m).map((i) => upTo(n).map((j) => elementAt(x, [...batch, i, j])))
}

/** A result for each matrix of a batch. */
const perMatrix = (x: NdArray, shape: readonly number[], f: (batch: readonly number[]) => Matrix): Expected =>
  table([...x.shape.slice(0, -2), ...shape], (index) => {
    const batch = index.slice(0, x.shape.length - 2)
    return entryAt(f(batch), index.at(-2) ?? 0, index.at(-1) ?? 0)
  })

/** A number for each matrix. */
const perDeterminant = (x: NdArray, f: (determinant: number) => number): Expected =>
  table(x.shape.slice(0, -2), (batch) => f(expanded(matrixAt(x, batch))))

/** The determinant by expansion along the first row. */
const expanded = (m: Matrix): number => {
  const [first, ...rest] = m
  if (first === undefined) return 1
  return sum(first.map((v, j) => (j % 2 === 0 ? v : -v) * expanded(rest.map((row) => row.filter((_, k) => k !== j)))))
}

/** A⁻¹ by cofactors. */
const inverted = (m: Matrix): Matrix => {
  const d = expanded(m)
  return m.map((_, i) =>
    m.map((_, j) => {
      const minor = m.filter((_, r) => r !== j).map((row) => row.filter((_, c) => c !== i))
      return ((i + j) % 2 === 0 ? expanded(minor) : -expanded(minor)) / d
    }),
  )
}

const times = (a: Matrix, b: Matrix): Matrix => {
  const columns = b[0]?.length ?? 0
  return a.map((row) => upTo(columns).map((j) => sum(row.map((v, k) => v * entryAt(b, k, j)))))
}

/** L by its definition, row after row (Cholesky–Banachiewicz). */
const choleskyOf = (m: Matrix): Matrix => {
  const l: number[][] = m.map(() => m.map(() => 0))
  for (const i of upTo(m.length))
    for (const j of upTo(i + 1)) {
      const rest = entryAt(m, i, j) - sum(upTo(j).map((k) => entryAt(l, i, k) * entryAt(l, j, k)))
      const row = l[i]
      if (row !== undefined) row[j] = i === j ? Math.sqrt(rest) : rest / entryAt(l, j, j)
    }
  return l
}

/** Numbers in [−½, ½], and 2 or −2 more where `isLarge` says: rows of which one element is larger than all others together. */
const dominant = (
  shape: readonly number[],
  dtype: DType,
  isLarge: (i: number, j: number) => boolean,
  sign: (i: number) => number,
): fc.Arbitrary<NdArray> =>
  arrays(
    shape,
    dtype,
    fc.integer({ min: -50, max: 49 }).map((k) => (k + 0.5) / 100), // never 0: a column that is done already is not reflected
  ).map((x) => {
    const [m = 0, n = 0] = shape.slice(-2)
    return {
      ...x,
      data: x.data.map((v, at) => {
        const [i, j] = [Math.floor(at / n) % m, at % n]
        return stored(dtype, isLarge(i, j) ? v + 2 * sign(i) : v)
      }),
    }
  })

const batches: fc.Arbitrary<readonly number[]> = fc.constantFrom([], [], [1], [2], [0], [2, 1])

/** Square matrices whose large elements stand in any row of their column, so that pivots have to be looked for. */
const square = (dtype: DType, most = 3): fc.Arbitrary<NdArray> =>
  fc
    .tuple(batches, length(1, most))
    .chain(([batch, n]) =>
      fc.tuple(
        fc.constant([...batch, n, n]),
        fc.shuffledSubarray([...upTo(n)], { minLength: n }),
        fc.array(fc.boolean(), { minLength: n, maxLength: n }),
      ),
    )
    .filter(([shape]) => count(shape) <= 18)
    .chain(([shape, order, signs]) =>
      dominant(
        shape,
        dtype,
        (i, j) => order[i] === j,
        (i) => (signs[i] === true ? -1 : 1),
      ),
    )

/** More rows than columns, or as many. */
const tall = (dtype: DType): fc.Arbitrary<NdArray> =>
  fc
    .tuple(batches, length(1, 3), length(0, 1))
    .filter(([batch, n, more]) => count([...batch, n + more, n]) <= 18)
    .chain(([batch, n, more]) =>
      dominant(
        [...batch, n + more, n],
        dtype,
        (i, j) => i === j,
        () => 1,
      ),
    )

/** Right-hand sides for matrices: columns, or a vector. */
const withSides = (matrices: fc.Arbitrary<NdArray>, dtype: DType): fc.Arbitrary<readonly [NdArray, NdArray]> =>
  matrices.chain((a) =>
    length(0, 2).chain((k) => {
      const lead = a.shape.slice(0, -1)
      return fc.tuple(fc.constant(a), arrays(k === 0 ? lead : [...lead, k], dtype))
    }),
  )

/** The right-hand sides as columns. */
const asColumns = (a: NdArray, b: NdArray): NdArray =>
  b.shape.length === a.shape.length ? b : { ...b, shape: [...b.shape, 1] }

const common: Partial<Entry> = {
  dtypes: wide,
  differentiableIn: 'floats',
  slack: 64,
  elements: 20,
  lacks: ['scalar'],
  ends: 'a matrix at the ends has no factors: what there is then is in test/tensor/linalg.test.ts',
}

const ofOne = (
  input: (dtype: DType) => fc.Arbitrary<NdArray>,
  build: (x: Tensor) => Tensor,
  oracle: (x: NdArray) => Expected,
  options: Partial<Entry> = {},
): Entry =>
  entry({
    dtypes: wide,
    cases: (dtype) => input(dtype).map((x): Case => ({ inputs: [x], build: (t) => build(one(t)), oracle })),
    ...common,
    ...options,
  })

const ofTwo = (
  input: (dtype: DType) => fc.Arbitrary<readonly [NdArray, NdArray]>,
  build: (a: Tensor, b: Tensor) => Tensor,
  solution: (a: Matrix, b: Matrix) => Matrix,
  options: Partial<Entry> = {},
): Entry =>
  entry({
    dtypes: wide,
    cases: (dtype) =>
      input(dtype).map(([a, b]): Case => ({
        inputs: [a, b],
        build: (s, t) => build(one(s), one(t)),
        oracle: (a, b) => {
          const sides = asColumns(a, b)
          const shape = [a.shape.at(-1) ?? 0, sides.shape.at(-1) ?? 0]
          const x = perMatrix(a, shape, (batch) => solution(matrixAt(a, batch), matrixAt(sides, batch)))
          return b === sides ? x : { ...x, shape: x.shape.slice(0, -1) }
        },
      })),
    ...common,
    ...options,
  })

const notSquare = (name: string, f: (x: Tensor) => unknown): readonly Misuse[] => [
  badShape(new RegExp(`^${name}: takes square matrices, got \\[2,3\\]`), ['f32[2,3]'], (x) => f(one(x))),
  badShape(new RegExp(`^${name}: takes matrices, whose last two axes .*, got \\[3\\]$`), ['f32[3]'], (x) => f(one(x))),
  badDType(new RegExp(`^${name}: takes floats, got i32; cast it first$`), ['i32[2,2]'], (x) => f(one(x))),
]

const apart = (name: string, f: (a: Tensor, b: Tensor) => unknown): readonly Misuse[] => [
  badShape(new RegExp(`^${name}: .* the right-hand sides are \\[…, 2, k\\]`), ['f32[2,2]', 'f32[3]'], (a, b) =>
    f(one(a), one(b)),
  ),
  badShape(new RegExp(`^${name}: .* the leading axes differ`), ['f32[3,2,2]', 'f32[4,2,1]'], (a, b) =>
    f(one(a), one(b)),
  ),
  badDType(new RegExp(`^${name}: .*; cast one of them$`), ['f32[2,2]', 'f64[2]'], (a, b) => f(one(a), one(b))),
]

/** A·Aᵀ. */
const gram = (x: Tensor): Tensor => {
  const axes = upTo(x.rank)
  const t = x.transpose([...axes.slice(0, -2), x.rank - 1, x.rank - 2])
  return x.matmul(t)
}

const plainGram = (m: Matrix): Matrix => times(m, transposed(m, m.length))

/** How many of the four kinds of triangles. */
const kinds: readonly Required<TriangularOptions>[] = [false, true].flatMap((upper) =>
  [false, true].flatMap((transpose) => [false, true].map((unitDiagonal) => ({ upper, transpose, unitDiagonal }))),
)

const triangleOf = (m: Matrix, { upper, transpose, unitDiagonal }: Required<TriangularOptions>): Matrix => {
  const t = m.map((row, i) => row.map((v, j) => (i === j && unitDiagonal ? 1 : (upper ? j >= i : j <= i) ? v : 0)))
  return transpose ? transposed(t, t.length) : t
}

const triangularEntry: Entry = entry({
  dtypes: wide,
  cases: (dtype) =>
    fc
      .tuple(
        withSides(
          tall(dtype).filter((x) => x.shape.at(-1) === x.shape.at(-2)),
          dtype,
        ),
        fc.constantFrom(...kinds),
      )
      .map(([[a, b], options]): Case => ({
        inputs: [a, b],
        build: (s, t) => solveTriangular(one(s), one(t), options),
        oracle: (a, b) => {
          const sides = asColumns(a, b)
          const x = perMatrix(a, [a.shape.at(-1) ?? 0, sides.shape.at(-1) ?? 0], (batch) =>
            times(inverted(triangleOf(matrixAt(a, batch), options)), matrixAt(sides, batch)),
          )
          return b === sides ? x : { ...x, shape: x.shape.slice(0, -1) }
        },
      })),
  ...common,
  errors: [...notSquare('solveTriangular', (x) => solveTriangular(x, x)), ...apart('solveTriangular', solveTriangular)],
})

/** Q and R of the columns, Gram and Schmidt's way, with the signs of fathom's: those of Q·R and QᵀQ are checked by value. */
const orthogonalized = (m: Matrix): { readonly product: Matrix; readonly absolute: Matrix } => {
  const columns = transposed(m, m[0]?.length ?? 0)
  const basis: number[][] = []
  const r = columns.map((column) => {
    const along: number[] = []
    let rest = [...column]
    for (const q of basis) {
      const share = sum(q.map((v, i) => v * (rest[i] ?? 0)))
      along.push(share)
      rest = rest.map((v, i) => v - share * (q[i] ?? 0))
    }
    const norm = Math.hypot(...rest)
    if (basis.length < m.length) {
      along.push(norm)
      basis.push(rest.map((v) => v / norm))
    }
    return along
  })
  const n = columns.length
  return { product: m, absolute: upTo(basis.length).map((i) => upTo(n).map((j) => Math.abs(r[j]?.[i] ?? 0))) }
}

/** Any shape: |R|, which no choice of signs changes. */
const wideOrTall = (dtype: DType): fc.Arbitrary<NdArray> =>
  fc
    .tuple(batches, length(1, 3), length(1, 3))
    .filter(([batch, m, n]) => count([...batch, m, n]) <= 18)
    .chain(([batch, m, n]) =>
      dominant(
        [...batch, m, n],
        dtype,
        (i, j) => i === j,
        () => 1,
      ),
    )

const qrEntry: Entry = entry({
  dtypes: wide,
  cases: (dtype) =>
    wideOrTall(dtype).map((x) => ({
      inputs: [x],
      build: (t) => {
        const { q, r } = qr(one(t))
        return concatenate([q.matmul(r), r.abs()], r.rank - 2)
      },
      oracle: (x: NdArray) => {
        const [m = 0, n = 0] = x.shape.slice(-2)
        return perMatrix(x, [m + Math.min(m, n), n], (batch) => {
          const { product, absolute } = orthogonalized(matrixAt(x, batch))
          return [...product, ...absolute]
        })
      },
    })),
  smooth: wideOrTall('f64').map((x) => ({
    inputs: [x],
    build: (t) => {
      const { q, r } = qr(one(t))
      return concatenate([q.transpose([...upTo(q.rank - 2), q.rank - 1, q.rank - 2]), r], r.rank - 1)
    },
  })),
  ...common,
  errors: [
    badShape(/^qr: takes matrices, whose last two axes .*, got \[3\]$/, ['f32[3]'], (x) => qr(one(x)).q),
    badDType(/^qr: takes floats, got i32; cast it first$/, ['i32[2,2]'], (x) => qr(one(x)).q),
  ],
})

type LinearAlgebra =
  | 'cholesky'
  | 'det'
  | 'logDet'
  | 'slogDet'
  | 'lstsq'
  | 'qr'
  | 'inverse'
  | 'solve'
  | 'solveTriangular'

/** A row for each. */
export const linalg: { readonly [K in LinearAlgebra]: Entry } = {
  cholesky: ofOne(
    square,
    (x) => cholesky(gram(x)),
    (x) => {
      const n = x.shape.at(-1) ?? 0
      return perMatrix(x, [n, n], (batch) => choleskyOf(plainGram(matrixAt(x, batch))))
    },
    {
      smooth: square('f64').map((x) => ({
        inputs: [x],
        build: (t) =>
          cholesky(
            one(t)
              .mul(0.2)
              .add(gram(one(t))),
          ),
      })),
      errors: notSquare('cholesky', cholesky),
    },
  ),
  det: ofOne(square, det, (x) => perDeterminant(x, (d) => d), { errors: notSquare('det', det) }),
  logDet: ofOne(
    square,
    (x) => logDet(gram(x)),
    (x) => perDeterminant(x, (d) => Math.log(d * d)),
    {
      errors: notSquare('logDet', logDet),
    },
  ),
  slogDet: ofOne(
    square,
    (x) => {
      const { sign, logAbs } = slogDet(x)
      return logAbs.mul(sign)
    },
    (x) => perDeterminant(x, (d) => Math.sign(d) * Math.log(Math.abs(d))),
    { errors: notSquare('slogDet', slogDet) },
  ),
  inverse: ofOne(
    square,
    inverse,
    (x) => {
      const n = x.shape.at(-1) ?? 0
      return perMatrix(x, [n, n], (batch) => inverted(matrixAt(x, batch)))
    },
    { errors: notSquare('inverse', inverse) },
  ),
  solve: ofTwo(
    (dtype) => withSides(square(dtype), dtype),
    solve,
    (a, b) => times(inverted(a), b),
    {
      errors: [...notSquare('solve', (x) => solve(x, x)), ...apart('solve', solve)],
    },
  ),
  solveTriangular: triangularEntry,
  qr: qrEntry,
  lstsq: ofTwo(
    (dtype) => withSides(tall(dtype), dtype),
    lstsq,
    (a, b) => {
      const t = transposed(a, a[0]?.length ?? 0)
      return times(inverted(times(t, a)), times(t, b)) // the normal equations
    },
    {
      errors: [
        badShape(/^lstsq: \[2,3\] has 2 rows for 3 columns; /, ['f32[2,3]', 'f32[2]'], (a, b) => lstsq(one(a), one(b))),
        ...apart('lstsq', lstsq),
      ],
    },
  ),
}
