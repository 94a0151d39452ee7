/**
 * The sum of two cotangents of one value. Parts of a value arrive as pads with zeros around them; parts that touch are joined instead of
 * added, so that the derivative of a split is a concatenation and not as many full-sized sums as there are parts.
 */
import { at } from '../prelude/array.ts'
import { isNarrower } from '../graph/dtype.ts'
import { makeNode } from '../graph/node.ts'
import type { Node, NodeOf } from '../graph/ops.ts'
import { Tensor } from '../tensor/tensor.ts'

const isWindow = (node: Node): node is NodeOf<'pad'> =>
  node.op === 'pad' &&
  node.attrs.interior.every((n) => n === 0) &&
  [...node.attrs.low, ...node.attrs.high].every((n) => n >= 0)

/** The one axis along which `y` begins where `x` ends, while both lie alike along all others; else undefined. */
const axisOfContact = (x: NodeOf<'pad'>, y: NodeOf<'pad'>): number | undefined => {
  const [window] = x.inputs
  const [next] = y.inputs
  const differing = window.shape.flatMap((n, axis) =>
    n === at(next.shape, axis) && at(x.attrs.low, axis) === at(y.attrs.low, axis) ? [] : [axis],
  )
  const [axis] = differing
  if (axis === undefined || differing.length > 1) return undefined
  return at(x.attrs.low, axis) + at(window.shape, axis) === at(y.attrs.low, axis) ? axis : undefined
}

const parts = (node: Node, axis: number): readonly Node[] =>
  node.op === 'concatenate' && node.attrs.axis === axis ? node.inputs : [node]

/** Both windows as one, the first in front of the second. */
const joined = (x: NodeOf<'pad'>, y: NodeOf<'pad'>, axis: number): Tensor => {
  const window = makeNode('concatenate', { axis }, [...parts(x.inputs[0], axis), ...parts(y.inputs[0], axis)])
  const high = x.attrs.high.map((n, a) => (a === axis ? at(y.attrs.high, a) : n))
  const fills = [...x.attrs.low, ...high].every((n) => n === 0)
  return new Tensor(fills ? window : makeNode('pad', { low: x.attrs.low, high, interior: x.attrs.interior }, [window]))
}

/**
 * `x + y`, where both are cotangents of the same value; in the wider dtype where one comes from a contraction that has not rounded it (vjp.ts) and the
 * other from elsewhere.
 */
export const addCotangents = (x: Tensor, y: Tensor): Tensor => {
  if (isNarrower(x.dtype, y.dtype)) return addCotangents(x.cast(y.dtype), y)
  if (isNarrower(y.dtype, x.dtype)) return addCotangents(x, y.cast(x.dtype))
  if (isWindow(x.node) && isWindow(y.node)) {
    const behind = axisOfContact(x.node, y.node)
    if (behind !== undefined) return joined(x.node, y.node, behind)
    const before = axisOfContact(y.node, x.node)
    if (before !== undefined) return joined(y.node, x.node, before)
  }
  return x.add(y)
}
