/** Batches of contractions: as few and as large products as there can be. */
import { at, product } from '../../prelude/array.ts'
import { freeAxes } from '../../graph/infer.ts'
import { makeNode } from '../../graph/node.ts'
import type { DotAttrs, Node, NodeOf } from '../../graph/ops.ts'
import { zeros } from '../../tensor/create.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { moveAxis, rearranged, shifted, type Batching } from './batching.ts'

const pairOf = (f: (side: 0 | 1) => readonly number[]): readonly [readonly number[], readonly number[]] => [f(0), f(1)]

/**
 * Two mapped operands: one more batch axis. One of them: the batch axis is a free axis of its operand, so that all slices are one product, and is
 * moved to the front of the result.
 */
export const batchDot = ({ inputs, attrs }: NodeOf<'dotGeneral'>, batching: Batching): Node => {
  const [x, y] = inputs
  const operands = [batching.plain(x), batching.plain(y)] as const
  const mapped = [batching.isMapped(x), batching.isMapped(y)] as const
  const axes = (of: DotAttrs['contract']): DotAttrs['contract'] =>
    pairOf((side) => (mapped[side] ? shifted(of[side]) : of[side]))
  const [contract, batch] = [axes(attrs.contract), axes(attrs.batch)]
  if (mapped[0] && mapped[1])
    return makeNode('dotGeneral', { ...attrs, contract, batch: pairOf((side) => [0, ...batch[side]]) }, operands)
  const free = mapped[0] ? 0 : freeAxes(x.shape.length, contract[0], batch[0]).length
  const made = new Tensor(makeNode('dotGeneral', { ...attrs, contract, batch }, operands))
  return moveAxis(made, batch[0].length + free, 0).node
}

/** One convolution of all slices, and where its result has the batch axis. */
type Folding = (node: NodeOf<'conv'>, batching: Batching) => Tensor

/** x alone: slices are further images, [B, N, …] → [B·N, …]. */
const intoImages: Folding = ({ inputs: [x, w], attrs, shape }, { size, plain }) => {
  const images = rearranged(plain(x), (t) => t.reshape([size * at(x.shape, 0), ...x.shape.slice(1)]))
  return new Tensor(makeNode('conv', attrs, [images, plain(w)])).reshape([size, ...shape])
}

/** w alone: slices are further output channels, inside each group: [B, KH, KW, c, g·o] → [KH, KW, c, g·B·o]. */
const intoChannels: Folding = ({ inputs: [x, w], attrs, shape }, { size, plain }) => {
  const [lead, each] = [w.shape.slice(0, 3), at(w.shape, 3) / attrs.groups]
  const filters = rearranged(plain(w), (t) =>
    moveAxis(t.reshape([size, ...lead, attrs.groups, each]), 0, 4).reshape([...lead, attrs.groups * size * each]),
  )
  const made = new Tensor(makeNode('conv', attrs, [plain(x), filters]))
  const apart = made.reshape([...shape.slice(0, 3), attrs.groups, size, each])
  return moveAxis(apart, 4, 0).reshape([size, ...shape])
}

/** Both: each slice is a group of its own, or as many as it had: [B, …, C] → […, B·C], with g·B groups. */
const intoGroups: Folding = ({ inputs: [x, w], attrs, shape }, { size, plain }) => {
  const folded = (node: Node): Node =>
    rearranged(plain(node), (t) => moveAxis(t, 0, 3).reshape([...node.shape.slice(0, 3), size * at(node.shape, 3)]))
  const made = new Tensor(makeNode('conv', { ...attrs, groups: attrs.groups * size }, [folded(x), folded(w)]))
  return moveAxis(made.reshape([...shape.slice(0, 3), size, at(shape, 3)]), 3, 0)
}

/** A convolution has one batch axis, that of images: the batch is folded into images, channels or groups. */
export const batchConv = (node: NodeOf<'conv'>, batching: Batching): Node => {
  const [x, w] = node.inputs
  const whole = [batching.size, ...node.shape]
  if (product(whole) === 0) return zeros(whole, node.dtype).node
  const fold = !batching.isMapped(w) ? intoImages : batching.isMapped(x) ? intoGroups : intoChannels
  return fold(node, batching).node
}
