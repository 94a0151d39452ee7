/**
 * Halves stay halves while they are only moved. A half that is widened, moved and used is moved first and widened where it is used; a value that is
 * moved and then rounded to a half is rounded first. No bit changes, for moving computes nothing; what goes through memory between kernels has
 * two bytes an element instead of four. Mixed precision casts at the ends of layers (tensor/withPrecision.ts), and this brings the casts to where
 * values are written and read.
 */
import { isNarrower, type DType } from '../graph/dtype.ts'
import { makeNode, rebuilt } from '../graph/node.ts'
import type { Node, NodeOf, OpName } from '../graph/ops.ts'
import { inheritOrigin } from '../graph/origin.ts'
import { sizeOf } from '../graph/shape.ts'

/** Primitives whose elements are those of their first input, or of all of them, elsewhere; what is new in them is 0. */
const movements: ReadonlySet<OpName> = new Set([
  'barrier',
  'broadcast',
  'concatenate',
  'pad',
  'reshape',
  'reverse',
  'slice',
  'transpose',
])

/** The node with what it moves replaced: a barrier only waits for its second input. */
const moving = (node: Node, f: (x: Node) => Node): Node =>
  rebuilt(
    node,
    node.inputs.map((x, i) => (i === 0 || node.op === 'concatenate' ? f(x) : x)),
  )

const isWidened = (node: Node): node is NodeOf<'cast'> =>
  node.op === 'cast' && node.inputs[0].dtype === 'f16' && isNarrower('f16', node.dtype)

const isAllWidened = ({ op, inputs }: Node): boolean =>
  (op === 'concatenate' ? inputs : inputs.slice(0, 1)).every(isWidened)

/** Whether so little is cut out that rounding all of it first would be more work than it saves: a third, as of queries, keys and values, is not. */
const isSmallPart = (node: Node): boolean =>
  node.op === 'slice' && 4 * sizeOf(node.shape) < sizeOf(node.inputs[0].shape)

/**
 * The node with its casts on the side of memory where there are four bytes: undefined where it is so already.
 *
 * @param emit makes a new node part of the program
 */
export const movedAsHalves = (node: Node, emit: (node: Node) => Node): Node | undefined => {
  const castTo = (dtype: DType, x: Node): Node => {
    const made = makeNode('cast', { dtype }, [x])
    inheritOrigin(made, node)
    return emit(made)
  }
  if (movements.has(node.op) && isAllWidened(node))
    return castTo(node.dtype, emit(moving(node, (x) => (isWidened(x) ? x.inputs[0] : x))))
  if (node.op !== 'cast' || node.dtype !== 'f16') return undefined
  const [x] = node.inputs
  if (!movements.has(x.op) || !isNarrower('f16', x.dtype) || isSmallPart(x)) return undefined
  return emit(moving(x, (input) => castTo('f16', input)))
}
