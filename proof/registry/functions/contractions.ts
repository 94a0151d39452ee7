/** Products of matrices under their several names, and attention. */
import fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import { attention } from '../../../src/tensor/attention.ts'
import { dotGeneral, einsum } from '../../../src/tensor/contractions.ts'
import { arrays, count, elementAt, indices, type NdArray } from '../../array.ts'
import { badDType, badShape, entry, floats, one, table, wide, type Case, type Entry, type Expected } from '../entry.ts'
import { contractions } from '../primitives/contraction.ts'
import { sum } from '../primitives/reduction.ts'
import { broadcastable, stretched, stretchedAt } from './draw.ts'

const length = (min = 0, max = 3): fc.Arbitrary<number> => fc.integer({ min, max })

/** NumPy's rule: a vector is a row on the left and a column on the right; leading axes broadcast. */
const product = (x: NdArray, y: NdArray): Expected => {
  const left = x.shape.length === 1 ? { ...x, shape: [1, ...x.shape] } : x
  const right = y.shape.length === 1 ? { ...y, shape: [...y.shape, 1] } : y
  const [rows, inner, columns] = [left.shape.at(-2) ?? 0, left.shape.at(-1) ?? 0, right.shape.at(-1) ?? 0]
  const lead = stretched([left.shape.slice(0, -2), right.shape.slice(0, -2)])
  const full = table([...lead, rows, columns], (index) => {
    const [around, [i = 0, j = 0]] = [index.slice(0, -2), index.slice(-2)]
    return sum(
      Array.from(
        { length: inner },
        (_, k) => stretchedAt(left, [...around, i, k]) * stretchedAt(right, [...around, k, j]),
      ),
    )
  })
  const shape = [...lead, ...(x.shape.length === 1 ? [] : [rows]), ...(y.shape.length === 1 ? [] : [columns])]
  return { shape, data: full.data }
}

/** Leading axes of both operands: shared, the right one's none, or such as broadcast. */
const leading = fc.oneof(
  fc.array(length(1), { maxLength: 2 }).map((lead) => [lead, lead] as const),
  fc.array(length(1), { maxLength: 2 }).map((lead) => [lead, []] as const),
  broadcastable(2)
    .filter((shapes) => shapes.every((s) => s.length <= 2 && count(s) <= 6))
    .map(([a = [], b = []]) => [a, b] as const),
)

const matrices = (dtype: DType): fc.Arbitrary<Case> =>
  fc
    .tuple(leading, fc.nat(5), length(), length(), length(1))
    .chain(([[a, b], form, m, k, n]) =>
      fc.tuple(
        arrays(form === 0 || form === 2 ? [k] : [...a, m, k], dtype),
        arrays(form === 1 || form === 2 ? [k] : [...b, k, n], dtype),
      ),
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
  'ij->ji',
  'ii->',
  'iji->ij',
  'ij->',
  'ij,jk->i',
  'ij,jk',
  'ab,bc,cd->ad',
  'i,ij,j->',
  'a,a,a->a',
  'bi,bj,bk->bijk',
  '...ij,...jk->...ik',
  '...i,...i',
  'i...->...',
]

const lettersOf = (term: string): readonly string[] => [...term.trim()]

/** The formula without its ellipses: P and Q stand for two leading axes, of which the last operand lacks the first. */
const spelt = (formula: string): readonly (readonly string[])[] => {
  const [left = '', right] = formula.split('->')
  const terms = left.split(',')
  const dots = (term: string, i: number): string => term.replace('...', i === 0 ? 'PQ' : 'Q')
  const once = [...new Set(left.replaceAll(/[^a-z]/g, ''))].filter((l) => left.split(l).length === 2).toSorted()
  const out = right?.replace('...', 'PQ') ?? (left.includes('...') ? ['P', 'Q', ...once] : once).join('')
  return [...terms.map((t, i) => lettersOf(dots(t, i))), lettersOf(out)]
}

const summed = (letters: readonly (readonly string[])[], xs: readonly NdArray[]): Expected => {
  const out = letters.at(-1) ?? []
  const lengths = new Map(xs.flatMap((x, k) => (letters[k] ?? []).map((l, i) => [l, x.shape[i] ?? 0] as const)))
  const inner = [...lengths.keys()].filter((l) => !out.includes(l))
  const of = (names: readonly string[]): readonly number[] => names.map((l) => lengths.get(l) ?? 0)
  return table(of(out), (index) =>
    sum(
      indices(of(inner)).map((rest) => {
        const at = (l: string): number => (out.includes(l) ? index[out.indexOf(l)] : rest[inner.indexOf(l)]) ?? 0
        return xs.reduce((product, x, k) => product * elementAt(x, (letters[k] ?? []).map(at)), 1)
      }),
    ),
  )
}

const einsums = (dtype: DType): fc.Arbitrary<Case> =>
  fc
    .constantFrom(...formulas)
    .chain((formula) => {
      const terms = spelt(formula)
      const letters = [...new Set(terms.flat())]
      return fc.tuple(...letters.map(() => length(0))).chain((lengths) => {
        const of = (names: readonly string[]): readonly number[] => names.map((l) => lengths[letters.indexOf(l)] ?? 0)
        return fc
          .tuple(...terms.slice(0, -1).map((names) => arrays(of(names), dtype)))
          .map((inputs) => ({ formula, terms, inputs }))
      })
    })
    .filter(({ inputs }) => inputs.every((x) => count(x.shape) <= 24))
    .map(({ formula, terms, inputs }) => ({
      inputs,
      build: (...ts) => einsum(formula, ...ts),
      oracle: (...xs) => summed(terms, xs),
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
      badShape(
        /^matmul: \[5,2,3\] · \[4,3,2\]: \[5\] and \[4\] do not broadcast/,
        ['f32[5,2,3]', 'f32[4,3,2]'],
        (x, y) => one(x).matmul(one(y)),
      ),
      badShape(
        /^matmul: \[\] · \[3,2\]: needs vectors, matrices or stacks of them; for a number use mul$/,
        ['f32[]', 'f32[3,2]'],
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
    differentiableIn: 'floats',
    linearIn: [0, 1, 2],
    slack: 1,
    errors: [
      badShape(/^einsum: 'ij,jk=ik' is not of the form 'ij,jk->ik': letters/, ['f32[2,3]', 'f32[3,2]'], (x, y) =>
        einsum('ij,jk=ik', one(x), one(y)),
      ),
      badShape(/^einsum: 'ij,jk->ik' is of 2 operands, it was given 1$/, ['f32[2,3]'], (x) =>
        einsum('ij,jk->ik', one(x)),
      ),
      badShape(
        /^einsum: 'ijk,jk->ik' does not name the axes of \[2,3\] and \[2,3\]: 'ijk' is for \[2,3\]$/,
        ['f32[2,3]', 'f32[2,3]'],
        (x, y) => einsum('ijk,jk->ik', one(x), one(y)),
      ),
      badShape(/^einsum: 'ij,jk->ik': 'j' is 3 and 2$/, ['f32[2,3]', 'f32[2,3]'], (x, y) =>
        einsum('ij,jk->ik', one(x), one(y)),
      ),
      badShape(/^einsum: 'ij->ik': the result has 'k' twice, or no operand has it$/, ['f32[2,3]'], (x) =>
        einsum('ij->ik', one(x)),
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
