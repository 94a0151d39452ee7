/** Batches of contractions: as few and as large products as there can be. */
import { at, product } from '../../prelude/array.ts'
import { freeAxes } from '../../graph/infer.ts'
import { makeNode } from '../../graph/node.ts'
import type { DotAttrs, Node, NodeOf } from '../../graph/ops.ts'
import { zeros } from '../../tensor/create.ts'
import { moveAxis } from '../../tensor/movement.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { rearranged, repeated, shifted, type Batching } from './batching.ts'

const pairOf = <T>(f: (side: 0 | 1) => T): readonly [T, T] => [f(0), f(1)]

/** Rows of a slice from which on a product of its own costs no more than its share of a product of all (bench/vmap.ts). */
const manyRows = 16

/** One more batch axis. An operand that all slices share is repeated along it, which a kernel does as it reads. */
const eachItsOwn = ({ inputs, attrs }: NodeOf<'dotGeneral'>, { size, isMapped, plain }: Batching): Node => {
  const operand = (side: 0 | 1): Node =>
    isMapped(inputs[side])
      ? plain(inputs[side])
      : rearranged(plain(inputs[side]), (t) => new Tensor(repeated(t.node, size)))
  const [contract, batch] = [
    pairOf((side) => shifted(attrs.contract[side])),
    pairOf((side) => [0, ...shifted(attrs.batch[side])]),
  ]
  return makeNode('dotGeneral', { ...attrs, contract, batch }, pairOf(operand))
}

/**
 * Where one operand is mapped, the batch axis is a free axis of it, and all slices are one product. If that axis comes out behind others it must be
 * moved to the front of the result; then slices of many rows have products of their own.
 */
export const batchDot = (node: NodeOf<'dotGeneral'>, batching: Batching): Node => {
  const { inputs, attrs } = node
  const mapped = pairOf((side) => batching.isMapped(inputs[side]))
  const free = pairOf((side) => freeAxes(inputs[side].shape.length, attrs.contract[side], attrs.batch[side]))
  const own = mapped[0] ? 0 : 1
  const before = attrs.batch[0].length + (own === 0 ? 0 : free[0].length)
  const rows = product(free[own].map((a) => at(inputs[own].shape, a)))
  if ((mapped[0] && mapped[1]) || (before > 0 && rows >= manyRows)) return eachItsOwn(node, batching)
  const axes = (of: DotAttrs['contract']): DotAttrs['contract'] =>
    pairOf((side) => (mapped[side] ? shifted(of[side]) : of[side]))
  const made = makeNode(
    'dotGeneral',
    { ...attrs, contract: axes(attrs.contract), batch: axes(attrs.batch) },
    pairOf((side) => batching.plain(inputs[side])),
  )
  return moveAxis(new Tensor(made), before, 0).node
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
