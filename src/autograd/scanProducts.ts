/**
 * The gradient of a weight that every turn uses is a sum of products, Σₜ aₜᵀ·bₜ: one product over the turns too, if both factors are kept. Where they
 * are no larger than the weight, as in a recurrent network, that is less traffic than a sum that is read and written in every turn, and the product is a
 * larger one. That of a bias is a sum over rows, and goes over all turns' rows where these are kept anyway.
 */
import { makeNode, withInputs } from '../graph/node.ts'
import type { Node, NodeOf } from '../graph/ops.ts'
import { sizeOf } from '../graph/shape.ts'
import { Tensor } from '../tensor/tensor.ts'

/** A contraction or a sum, and views of it on the way to a cotangent, the last one first. */
export interface Product {
  readonly sum: NodeOf<'dotGeneral' | 'reduceSum'>
  readonly views: readonly Node[]
}

/** Whether all turns at once are less work than a sum turn by turn. @param kept nodes that are stacked anyway */
const isBetterAtOnce = (node: Node, kept: ReadonlySet<Node>): node is Product['sum'] => {
  const more = node.inputs.reduce((sum, x) => sum + (kept.has(x) ? 0 : sizeOf(x.shape)), 0)
  return (node.op === 'dotGeneral' && more <= sizeOf(node.shape)) || (node.op === 'reduceSum' && more === 0)
}

/** The cotangent as what is better computed for all turns at once; undefined where it is not. */
export const productOf = (g: Node, kept: ReadonlySet<Node>): Product | undefined => {
  const views: Node[] = []
  let node = g
  while (node.op === 'transpose' || node.op === 'reshape') {
    views.push(node)
    node = node.inputs[0]
  }
  return isBetterAtOnce(node, kept) ? { sum: node, views } : undefined
}

const behind = (axes: readonly number[]): readonly number[] => axes.map((axis) => axis + 1)

const overTurns = (node: Product['sum'], stackOf: (node: Node) => Tensor): Node => {
  const dtype = node.attrs.dtype === 'f16' ? 'f32' : node.attrs.dtype // halves are summed in f32
  if (node.op === 'reduceSum')
    return makeNode('reduceSum', { axes: [0, ...behind(node.attrs.axes)], dtype }, [stackOf(node.inputs[0]).node])
  const { contract, batch } = node.attrs
  return makeNode(
    'dotGeneral',
    {
      contract: [
        [0, ...behind(contract[0])],
        [0, ...behind(contract[1])],
      ],
      batch: [behind(batch[0]), behind(batch[1])],
      dtype,
    },
    [stackOf(node.inputs[0]).node, stackOf(node.inputs[1]).node],
  )
}

/** The sum over the turns, which are axis 0 of what `stackOf` gives. */
export const summedProduct = ({ sum, views }: Product, stackOf: (node: Node) => Tensor): Tensor =>
  new Tensor(views.reduceRight<Node>((x, view) => withInputs(view, [x]), overTurns(sum, stackOf)))
