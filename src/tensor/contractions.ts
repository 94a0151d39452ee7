/** Contractions: products of tensors, summed over the axes that they share. */
import { at, range, without } from '../prelude/array.ts'
import { makeNode } from '../graph/node.ts'
import type { DotAttrs } from '../graph/ops.ts'
import { parseFormula, type Labels } from './einsumFormula.ts'
import { expectTensor, nodeOf } from './expect.ts'
import { Tensor } from './tensor.ts'
import { diagonal } from './triangles.ts'
import { operandsOf } from './withPrecision.ts'

/**
 * The general contraction: batch axes first, then the free axes of x, then those of y.
 *
 * @example
 * ```ts
 * import { dotGeneral, zeros } from 'fathom'
 *
 * const [x, y] = [zeros([8, 2, 5]), zeros([8, 3, 5])]
 * dotGeneral(x, y, { batch: [[0], [0]], contract: [[2], [2]] }).shape // => [8, 2, 3]
 * ```
 */
export const dotGeneral = (x: Tensor, y: Tensor, attrs: Omit<DotAttrs, 'dtype'>): Tensor => {
  const { x: left, y: right, dtype } = operandsOf(nodeOf('dotGeneral', x), nodeOf('dotGeneral', y))
  return new Tensor(makeNode('dotGeneral', { ...attrs, dtype }, [left, right]))
}

/** An operand and the label of each of its axes. */
interface Labelled {
  readonly x: Tensor
  readonly labels: Labels
}

/** Axes of an operand that has a label twice become its diagonal; those of length 1 that an ellipsis stretches go. */
const withoutRepeats = ({ x, labels }: Labelled, lengths: ReadonlyMap<string, number>): Labelled => {
  const second = labels.findIndex((l, i) => labels.indexOf(l) < i)
  if (second !== -1) {
    const label = at(labels, second)
    const first = labels.indexOf(label)
    const rest = labels.filter((_, i) => i !== first && i !== second)
    return withoutRepeats({ x: diagonal(x, 0, first, second), labels: [...rest, label] }, lengths)
  }
  const stretched = range(x.rank).filter((i) => x.shape[i] === 1 && lengths.get(at(labels, i)) !== 1)
  return { x: x.squeeze(stretched), labels: without(labels, stretched) }
}

/** The product of two operands, summed over the labels that nothing later needs. */
const contracted = (a: Labelled, b: Labelled, needed: Labels): Labelled => {
  const shared = a.labels.filter((l) => b.labels.includes(l))
  const batch = shared.filter((l) => needed.includes(l))
  const contract = shared.filter((l) => !needed.includes(l))
  const axes = (labels: Labels, of: Labels): readonly number[] => labels.map((l) => of.indexOf(l))
  const x = dotGeneral(a.x, b.x, {
    contract: [axes(contract, a.labels), axes(contract, b.labels)],
    batch: [axes(batch, a.labels), axes(batch, b.labels)],
  })
  const free = [...a.labels, ...b.labels].filter((l) => !shared.includes(l))
  return { x, labels: [...batch, ...free] }
}

/** Summed over the labels that nothing else needs. */
const summed = ({ x, labels }: Labelled, needed: Labels): Labelled => {
  const gone = range(x.rank).filter((i) => !needed.includes(at(labels, i)))
  return gone.length === 0 ? { x, labels } : { x: x.sum(gone), labels: without(labels, gone) }
}

/**
 * Einstein summation, as in NumPy and PyTorch: `einsum('bqd,bkd->bqk', q, k)`. A letter names an axis; those that the result does not name are summed,
 * a letter twice in one operand takes its diagonal, and `...` stands for leading axes that broadcast. Without `->` the result has the letters that
 * stand once, in alphabetical order. Several operands are contracted from left to right.
 *
 * @throws ShapeError where the formula does not fit the operands
 * @example
 * ```ts
 * import { einsum, tensor, zeros } from 'fathom'
 *
 * const [x, y] = [tensor([[1, 2], [3, 4]]), tensor([[5, 6], [7, 8]])]
 * einsum('ij,jk->ik', x, y) // => [[19, 22], [43, 50]]
 * einsum('ij,ij->', x, y) // => 70
 * einsum('ii->', x) // => 5
 * einsum('i,ij,j->', tensor([1, 2]), x, tensor([3, 4])) // => 61
 * einsum('...ij,jk->...ik', zeros([7, 5, 2, 3]), zeros([3, 4])).shape // => [7, 5, 2, 4]
 * ```
 */
export const einsum = (formula: string, ...xs: readonly Tensor[]): Tensor => {
  for (const x of xs) expectTensor('einsum', x)
  const { inputs, output, lengths } = parseFormula(
    formula,
    xs.map((x) => x.shape),
  )
  const operands = xs.map((x, i) => withoutRepeats({ x, labels: at(inputs, i) }, lengths))
  const neededFrom = (i: number): Labels => [...output, ...operands.slice(i).flatMap((o) => o.labels)]
  const alone = operands.map((o, i) => summed(o, [...output, ...operands.flatMap((p, j) => (j === i ? [] : p.labels))]))
  const { x, labels } = alone
    .slice(1)
    .reduce((done, next, i) => contracted(done, next, neededFrom(i + 2)), at(alone, 0))
  return x.transpose(output.map((l) => labels.indexOf(l)))
}
