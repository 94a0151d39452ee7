/** Contractions: products of two tensors, summed over the axes that they share. */
import { ShapeError } from '../prelude/errors.ts'
import { makeNode } from '../graph/node.ts'
import type { DotAttrs } from '../graph/ops.ts'
import { showShape } from '../graph/shape.ts'
import { expectTensor, nodeOf } from './expect.ts'
import { Tensor } from './tensor.ts'
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

/**
 * Einstein summation over two tensors, as in NumPy: `einsum('bqd,bkd->bqk', q, k)`.
 *
 * Letters in both inputs and the output are batch axes; in both inputs only, they are contracted.
 *
 * @example
 * ```ts
 * import { einsum, tensor } from 'fathom'
 *
 * const [x, y] = [tensor([[1, 2], [3, 4]]), tensor([[5, 6], [7, 8]])]
 * einsum('ij,jk->ik', x, y) // => [[19, 22], [43, 50]]
 * einsum('ij,ij->', x, y) // => 70
 * ```
 */
export const einsum = (formula: string, x: Tensor, y: Tensor): Tensor => {
  for (const operand of [x, y]) expectTensor('einsum', operand)
  const match = /^\s*([a-zA-Z]*)\s*,\s*([a-zA-Z]*)\s*->\s*([a-zA-Z]*)\s*$/.exec(formula)
  if (match === null)
    throw new ShapeError(`einsum: '${formula}' is not of the form 'ij,jk->ik': two operands, and the result named`)
  const [xs, ys, out] = [[...(match[1] ?? '')], [...(match[2] ?? '')], [...(match[3] ?? '')]]
  if (xs.length !== x.rank || ys.length !== y.rank)
    throw new ShapeError(
      `einsum: '${formula}' does not name the axes of ${showShape(x.shape)} and ${showShape(y.shape)}`,
    )
  const shared = xs.filter((l) => ys.includes(l))
  const batch = shared.filter((l) => out.includes(l))
  const contract = shared.filter((l) => !out.includes(l))
  const result = [...batch, ...xs.filter((l) => !shared.includes(l)), ...ys.filter((l) => !shared.includes(l))]
  if (result.length !== out.length || out.some((l) => !result.includes(l)))
    throw new ShapeError(
      `einsum: '${formula}' sums a letter that stands in one input only, or repeats one; sum it first`,
    )
  const axes = (letters: readonly string[], of: readonly string[]): readonly number[] =>
    letters.map((l) => of.indexOf(l))
  const z = dotGeneral(x, y, {
    contract: [axes(contract, xs), axes(contract, ys)],
    batch: [axes(batch, xs), axes(batch, ys)],
  })
  return z.transpose(axes(out, result))
}
