/** Products of matrices under their several names, and attention. */
import fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import { attention } from '../../../src/tensor/attention.ts'
import { dotGeneral, einsum } from '../../../src/tensor/contractions.ts'
import { arrays, count, elementAt, indices, type NdArray } from '../../array.ts'
import { badDType, badShape, entry, floats, one, table, wide, type Case, type Entry, type Expected } from '../entry.ts'
import { contractions } from '../primitives/contraction.ts'
import { sum } from '../primitives/reduction.ts'

const length = (min = 0, max = 3): fc.Arbitrary<number> => fc.integer({ min, max })

const product = (x: NdArray, y: NdArray): Expected => {
  const [rows, inner, columns] = [x.shape.at(-2) ?? 0, x.shape.at(-1) ?? 0, y.shape.at(-1) ?? 0]
  return table([...x.shape.slice(0, -2), rows, columns], (index) => {
    const [lead, [i = 0, j = 0]] = [index.slice(0, -2), index.slice(-2)]
    const other = y.shape.length === 2 ? [] : lead
    return sum(Array.from({ length: inner }, (_, k) => elementAt(x, [...lead, i, k]) * elementAt(y, [...other, k, j])))
  })
}

const matrices = (dtype: DType): fc.Arbitrary<Case> =>
  fc
    .tuple(fc.array(length(1), { maxLength: 2 }), fc.boolean(), length(), length(), length(1))
    .chain(([lead, shared, m, k, n]) =>
      fc.tuple(arrays([...lead, m, k], dtype), arrays([...(shared ? [] : lead), k, n], dtype)),
    )
    .map(([x, y]) => ({ inputs: [x, y], build: (s, t) => one(s).matmul(one(t)), oracle: (x, y) => product(x, y) }))

const formulas = [
  'ij,jk->ik',
  'ij,kj->ki',
  'bij,bjk->bik',
  'bqd,bkd->bkq',
  'ij,ij->',
  'i,j->ji',
  ',i->i',
  'bihd,bjhd->bhij',
  'ab,ba->ab',
  ' ij , j -> i ',
]

const lettersOf = (formula: string): readonly (readonly string[])[] =>
  formula.split(/,|->/).map((part) => [...part.trim()])

const summed = (formula: string, x: NdArray, y: NdArray): Expected => {
  const [xs = [], ys = [], out = []] = lettersOf(formula)
  const lengths = new Map([
    ...xs.map((l, i) => [l, x.shape[i] ?? 0] as const),
    ...ys.map((l, i) => [l, y.shape[i] ?? 0] as const),
  ])
  const inner = [...lengths.keys()].filter((l) => !out.includes(l))
  const of = (letters: readonly string[]): readonly number[] => letters.map((l) => lengths.get(l) ?? 0)
  return table(of(out), (index) =>
    sum(
      indices(of(inner)).map((rest) => {
        const at = (l: string): number => (out.includes(l) ? index[out.indexOf(l)] : rest[inner.indexOf(l)]) ?? 0
        return elementAt(x, xs.map(at)) * elementAt(y, ys.map(at))
      }),
    ),
  )
}

const einsums = (dtype: DType): fc.Arbitrary<Case> =>
  fc
    .constantFrom(...formulas)
    .chain((formula) => {
      const [xs = [], ys = []] = lettersOf(formula)
      const letters = [...new Set([...xs, ...ys])]
      return fc.tuple(...letters.map(() => length(0))).chain((lengths) => {
        const of = (names: readonly string[]): readonly number[] => names.map((l) => lengths[letters.indexOf(l)] ?? 0)
        return fc.tuple(arrays(of(xs), dtype), arrays(of(ys), dtype)).map(([x, y]) => ({ formula, x, y }))
      })
    })
    .filter(({ x, y }) => count(x.shape) <= 24 && count(y.shape) <= 24)
    .map(({ formula, x, y }) => ({
      inputs: [x, y],
      build: (s, t) => einsum(formula, one(s), one(t)),
      oracle: (x, y) => summed(formula, x, y),
    }))

/** softmax(q·kᵀ / √d)·v, one output at a time. */
const attended = (q: NdArray, k: NdArray, v: NdArray): Expected => {
  const [width, keys, out] = [q.shape.at(-1) ?? 0, k.shape.at(-2) ?? 0, v.shape.at(-1) ?? 0]
  return table([...q.shape.slice(0, -1), out], (index) => {
    const [lead, i, c] = [index.slice(0, -2), index.at(-2) ?? 0, index.at(-1) ?? 0]
    const logits = Array.from({ length: keys }, (_, j) => {
      const terms = Array.from(
        { length: width },
        (__, d) => elementAt(q, [...lead, i, d]) * elementAt(k, [...lead, j, d]),
      )
      return sum(terms) / Math.sqrt(width)
    })
    const weights = logits.map(Math.exp)
    return sum(weights.map((w, j) => w * elementAt(v, [...lead, j, c]))) / sum(weights)
  })
}

const attentions = (dtype: DType): fc.Arbitrary<Case> =>
  fc
    .tuple(fc.array(length(0, 2), { maxLength: 2 }), length(1), length(1), length(1), length(1, 2))
    .filter(([lead, q, k, d, v]) => count(lead) * (q * d + k * d + k * v) <= 24)
    .chain(([lead, q, k, d, v]) =>
      fc.tuple(arrays([...lead, q, d], dtype), arrays([...lead, k, d], dtype), arrays([...lead, k, v], dtype)),
    )
    .map(([q, k, v]) => ({
      inputs: [q, k, v],
      build: (a, b, c) => attention(one(a), one(b), one(c)),
      oracle: (q, k, v) => attended(q, k, v),
    }))

/** A row for each. */
export const contractionFunctions: {
  readonly [K in 'matmul' | 'dotGeneral' | 'einsum' | 'attention']: Entry
} = {
  matmul: entry({
    dtypes: floats,
    cases: matrices,
    differentiableIn: [0, 1],
    linearIn: [0, 1],
    lacks: ['scalar'],
    errors: [
      badShape(/^matmul: \[2,3\] · \[2,3\]: 3 columns meet 2 rows$/, ['f32[2,3]', 'f32[2,3]'], (x, y) =>
        one(x).matmul(one(y)),
      ),
      badShape(/^matmul: \[5,2,3\] · \[4,3,2\]: the leading axes differ;/, ['f32[5,2,3]', 'f32[4,3,2]'], (x, y) =>
        one(x).matmul(one(y)),
      ),
      badShape(
        /^matmul: needs two matrices or stacks of them, got \[3\] and \[3,2\]; the first as a row/,
        ['f32[3]', 'f32[3,2]'],
        (x, y) => one(x).matmul(one(y)),
      ),
      badDType(/^dotGeneral: dtypes f32 and f64 must be the same number type$/, ['f32[2,2]', 'f64[2,2]'], (x, y) =>
        one(x).matmul(one(y)),
      ),
    ],
  }),
  dotGeneral: entry({
    dtypes: floats,
    cases: (dtype) =>
      contractions(dtype).map(({ x, y, axes, expected }) => ({
        inputs: [x, y],
        build: (s, t) => dotGeneral(one(s), one(t), axes),
        oracle: expected,
      })),
    differentiableIn: [0, 1],
    linearIn: [0, 1],
    errors: [
      badShape(
        /^dotGeneral: cannot contract axes \[0\] of \[2\] with axes \[0\] of \[3\]/,
        ['f32[2]', 'f32[3]'],
        (x, y) => dotGeneral(one(x), one(y), { contract: [[0], [0]], batch: [[], []] }),
      ),
    ],
  }),
  einsum: entry({
    dtypes: wide,
    cases: einsums,
    differentiableIn: [0, 1],
    linearIn: [0, 1],
    slack: 1,
    errors: [
      badShape(/^einsum: 'ij,jk' is not of the form 'ij,jk->ik': two operands/, ['f32[2,3]', 'f32[3,2]'], (x, y) =>
        einsum('ij,jk', one(x), one(y)),
      ),
      badShape(
        /^einsum: 'ijk,jk->ik' does not name the axes of \[2,3\] and \[2,3\]$/,
        ['f32[2,3]', 'f32[2,3]'],
        (x, y) => einsum('ijk,jk->ik', one(x), one(y)),
      ),
      badShape(/^einsum: 'ij,jk->i' sums a letter that stands in one input only/, ['f32[2,3]', 'f32[3,2]'], (x, y) =>
        einsum('ij,jk->i', one(x), one(y)),
      ),
    ],
  }),
  attention: entry({
    dtypes: wide,
    cases: attentions,
    differentiableIn: [0, 1, 2],
    linearIn: [2],
    slack: 8,
    lacks: ['scalar'],
    ends: { offset: 'scores of 2⁴⁰ have no digits left for their differences, which is all that softmax sees' },
    errors: [
      badShape(/^dotGeneral: cannot contract axes \[1\] of \[2,3\]/, ['f32[2,3]', 'f32[2,4]', 'f32[2,4]'], (q, k, v) =>
        attention(one(q), one(k), one(v)),
      ),
      badShape(/^matmul: \[2,2\] · \[3,4\]: 2 columns meet 3 rows$/, ['f32[2,3]', 'f32[2,3]', 'f32[3,4]'], (q, k, v) =>
        attention(one(q), one(k), one(v)),
      ),
    ],
  }),
}
