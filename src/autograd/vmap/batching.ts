/** What a batching rule works with: what the inputs of a node have become, each with the batch axis in front or without one. */
import { isNarrower } from '../../graph/dtype.ts'
import { makeNode } from '../../graph/node.ts'
import type { Node } from '../../graph/ops.ts'
import { Tensor } from '../../tensor/tensor.ts'

/** What an output has become, with the batch axis in front if it is mapped. */
export interface Batched {
  readonly node: Node
  readonly isMapped: boolean
}

/** Placeholders of slices, and the wholes that take their places: the slice's shape behind the batch axis. */
export type Wholes = ReadonlyMap<Node, Node>

/** A function's graph while it is being batched. */
export interface Batching {
  /** The length of the batch axis. */
  readonly size: number
  /** Whether the node differs from slice to slice. */
  readonly isMapped: (node: Node) => boolean
  /** What the node has become: with the batch axis in front where it is mapped, as it was where it is not. */
  readonly plain: (node: Node) => Node
  /** What the node has become, with the batch axis in front: repeated along it where it is not mapped. */
  readonly mapped: (node: Node) => Node
}

/** Axes of a slice as axes of the whole, whose first is that of the batch. */
export const shifted = (axes: readonly number[]): readonly number[] => axes.map((a) => a + 1)

/** `x` repeated along a new first axis. A broadcast is widened, not put upon another: what is uniform stays so, and its cotangent is summed once. */
export const repeated = (x: Node, size: number): Node => {
  const [source, axes] = x.op === 'broadcast' ? [x.inputs[0], x.attrs.axes] : [x, []]
  return makeNode('broadcast', { shape: [size, ...x.shape], axes: [0, ...shifted(axes)] }, [source])
}

/**
 * `f(x)` for an f that moves elements only. A cast that rounds stays the last thing done to an operand of a contraction: by it the derivative knows
 * that the gradient may be wider than the operand (vjp.ts).
 */
export const rearranged = (x: Node, f: (x: Tensor) => Tensor): Node =>
  x.op === 'cast' && isNarrower(x.dtype, x.inputs[0].dtype)
    ? f(new Tensor(x.inputs[0])).cast(x.dtype).node
    : f(new Tensor(x)).node
