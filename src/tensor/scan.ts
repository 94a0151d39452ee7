/** Loops as one node of the graph: `scan`, as JAX's `jax.lax.scan`. The body is traced once, compiled once, and run turn by turn. */
import { requireFunction, requireKnown } from '../prelude/options.ts'
import { at } from '../prelude/array.ts'
import { ShapeError, typeError } from '../prelude/errors.ts'
import { whatIs } from '../prelude/mistaken.ts'
import { makeNode, withInputs } from '../graph/node.ts'
import type { Loop, Node, NodeOf } from '../graph/ops.ts'
import { showShape } from '../graph/shape.ts'
import { resultOf } from '../graph/loop.ts'
import { close, substitute, withoutPlainCalls } from '../graph/substitute.ts'
import { quoted, requireSameCarry } from './carry.ts'
import { checkpoint as checkpointed } from './annotate.ts'
import { concatenate } from './combine.ts'
import { zeros } from './create.ts'
import { Tensor } from './tensor.ts'
import { leaves, leavesWithPaths, mapTree, refill } from './tree.ts'

/** How a loop runs. */
export interface ScanOptions {
  /** Turns, where `xs` has no leaves to tell it. */
  readonly length?: number
  /** Whether the last elements come first; what is stacked stays in the order of the elements. */
  readonly reverse?: boolean
  /**
   * Keeps the carry of every so many turns for the backward pass, and computes the values between again: `true` is the square root of the
   * length, with which memory grows.
   */
  readonly checkpoint?: boolean | number
}

type Parameter = NodeOf<'parameter'>

const parameterLike = ({ dtype }: Tensor, shape: readonly number[], index: number): Parameter =>
  makeNode('parameter', { index, shape, dtype }, [])

/** The number of turns that the leaves of `xs` and `length` agree on. */
const lengthOf = (xs: unknown, length: number | undefined): number => {
  if (length !== undefined && !(Number.isInteger(length) && length >= 0))
    throw new RangeError(`scan: length is a whole number of turns, got ${length}`)
  let found = length === undefined ? undefined : { turns: length, where: 'length' }
  for (const [path, x] of leavesWithPaths(xs)) {
    const [turns] = x.shape
    if (turns === undefined)
      throw new ShapeError(
        `scan: ${quoted(path, 'xs')} is a scalar: a loop goes over axis 0; what is the same in every turn can be used from outside`,
      )
    if (found !== undefined && found.turns !== turns)
      throw new ShapeError(
        `scan: ${quoted(path, 'xs')} is ${showShape(x.shape)}, ${turns} along axis 0, and ${found.where} is ${found.turns}`,
      )
    found ??= { turns, where: quoted(path, 'xs') }
  }
  if (found === undefined) throw new ShapeError('scan: without xs it must be told the number of turns: { length: 10 }')
  return found.turns
}

const pairOf = <C, Y>(result: readonly [C, Y]): readonly [C, Y] => {
  const given: unknown = result
  if (!Array.isArray(given) || given.length !== 2)
    throw typeError(
      `scan: the body must return [carry, y], it returned ${whatIs(given)}; without a y write [carry, undefined]`,
    )
  return result
}

/** What a node repeats, and the views that do so, the last one first; none where it repeats nothing. */
const repeats = (node: Node): { readonly source: Node; readonly views: readonly Node[] } => {
  const views: Node[] = []
  let source = node
  while (source.op === 'broadcast' || source.op === 'reshape') {
    views.push(source)
    source = source.inputs[0]
  }
  return views.some((view) => view.op === 'broadcast') ? { source, views } : { source: node, views: [] }
}

/** What comes from outside, as parameters of the body: what only repeats a smaller tensor, as a bias for each row, is repeated inside. */
const unrepeated = (
  parameters: readonly Parameter[],
  captured: readonly Node[],
): { readonly constants: ReadonlyMap<Node, Parameter>; readonly repeated: ReadonlyMap<Node, Node> } => {
  const constants = new Map<Node, Parameter>()
  const repeated = new Map<Node, Node>()
  captured.forEach((node, i) => {
    const { source, views } = repeats(node)
    const { shape, dtype } = source
    const constant = constants.get(source) ?? makeNode('parameter', { index: i, shape, dtype }, [])
    constants.set(source, constant)
    repeated.set(
      at(parameters, i),
      views.reduceRight<Node>((x, view) => withInputs(view, [x]), constant),
    )
  })
  return { constants, repeated }
}

/** What the body makes of one turn, traced. */
interface Body<C, Y> {
  readonly loop: Loop
  readonly inputs: readonly Node[]
  /** Like what is stacked, with the nodes of one turn. */
  readonly y: Y
  readonly ys: readonly Node[]
  readonly carry: C
}

const traced = <C, X, Y>(
  body: (carry: C, x: X) => readonly [C, Y],
  init: C,
  xs: X,
  length: number,
  reverse: boolean,
): Body<C, Y> => {
  const [given, over] = [leaves(init), leaves(xs)]
  const carries = given.map((x, i) => parameterLike(x, x.shape, i))
  const elements = over.map((x, i) => parameterLike(x, x.shape.slice(1), given.length + i))
  const tensors = (nodes: readonly Node[]): readonly Tensor[] => nodes.map((n) => new Tensor(n))
  const [carry, y] = pairOf(body(refill(init, tensors(carries)), refill(xs, tensors(elements))))
  requireSameCarry('scan', 'the carry', init, carry)
  const closure = close(
    [...carries, ...elements],
    [...leaves(carry), ...leaves(y)].map((x) => x.node),
  )
  const captured = closure.parameters.slice(carries.length + elements.length)
  const { constants, repeated } = unrepeated(captured, closure.captured)
  const outputs = withoutPlainCalls(substitute(closure.outputs, repeated))
  const next = outputs.slice(0, carries.length)
  return {
    loop: { length, reverse, constants: [...constants.values()], carries, elements, next },
    inputs: [...constants.keys(), ...given.map((x) => x.node), ...over.map((x) => x.node)],
    y,
    ys: outputs.slice(carries.length),
    carry,
  }
}

/** A loop as nodes: one for each leaf of the last carry, and of what is stacked. */
const whole = <C, X, Y>(
  body: (carry: C, x: X) => readonly [C, Y],
  init: C,
  xs: X,
  length: number,
  reverse: boolean,
): readonly [C, Y] => {
  const { loop, inputs, y, ys } = traced(body, init, xs, length, reverse)
  if (length === 0)
    return [
      init,
      refill(
        y,
        ys.map(({ shape, dtype }) => zeros([0, ...shape], dtype)),
      ),
    ]
  const last = leaves(init).map((_, i) => new Tensor(resultOf(loop, inputs, { kind: 'last', carry: i })))
  const stacked = ys.map((node) => new Tensor(resultOf(loop, inputs, { kind: 'stacked', node })))
  return [refill(init, last), refill(y, stacked)]
}

const part = <T>(tree: T, from: number, to: number): T => mapTree(tree, (x) => x.slice([from, to]))

const joined = <Y>(first: Y, second: Y): Y => {
  const behind = leaves(second)
  return refill(
    first,
    leaves(first).map((x, i) => concatenate([x, at(behind, i)], 0)),
  )
}

/** A loop over segments of `size` turns, each of which the backward pass runs again; what does not fill a segment runs at the end. */
const inSegments = <C, X, Y>(
  body: (carry: C, x: X) => readonly [C, Y],
  init: C,
  xs: X,
  { length, reverse, size }: { readonly length: number; readonly reverse: boolean; readonly size: number },
): readonly [C, Y] => {
  const segments = Math.floor(length / size)
  const rest = length - segments * size
  const from = reverse ? rest : 0
  const segment = (turns: number): ((carry: C, x: X) => readonly [C, Y]) =>
    checkpointed((carry: C, x: X) => whole(body, carry, x, turns, reverse))
  const folded = mapTree(part(xs, from, from + segments * size), (x) =>
    x.reshape([segments, size, ...x.shape.slice(1)]),
  )
  const [middle, stacked] = whole(segment(size), init, folded, segments, reverse)
  const ys = mapTree(stacked, (y) => y.reshape([segments * size, ...y.shape.slice(2)]))
  if (rest === 0) return [middle, ys]
  const others = reverse ? part(xs, 0, rest) : part(xs, segments * size, length)
  const [last, more] = segment(rest)(middle, others)
  return [last, reverse ? joined(more, ys) : joined(ys, more)]
}

/** Turns of a segment, where there is more than one. */
const segmentOf = (length: number, checkpoint: boolean | number): number | undefined => {
  if (checkpoint === false) return undefined
  if (checkpoint === true) return length < 2 ? undefined : Math.ceil(Math.sqrt(length))
  if (!Number.isInteger(checkpoint) || checkpoint < 1)
    throw new RangeError(`scan: checkpoint is true, or a whole number of turns from 1 on, got ${checkpoint}`)
  return length === 0 ? undefined : Math.min(length, checkpoint)
}

/**
 * Runs `body` over the elements of `xs` along axis 0, from the first to the last: `[carry, y] = body(carry, x)`, again and again. It gives the last
 * carry, and all `y` stacked along a new axis 0. All three may be trees; what `body` uses from outside is the same in every turn, and gradients
 * flow to it. The body is one part of the program however many turns there are, so that a loop of 1,000 turns compiles as quickly as one of 10 (WebGPU lists
 * the launches of every turn);
 * its gradient is a loop that goes backwards (JAX's `jax.lax.scan`).
 *
 * @param init the carry of the first turn; every turn gives one of the same structure, shapes and dtypes
 * @param xs elements along axis 0 of each leaf; undefined where there are none, with the option `length`
 * @throws ShapeError where the carry does not stay what it is, or leaves of `xs` have different lengths
 * @example
 * ```ts
 * import { grad, scalar, scan, tensor, type Tensor } from 'fathom'
 *
 * const xs = tensor([1, 2, 3, 4])
 * const running = (sum: Tensor, x: Tensor): readonly [Tensor, Tensor] => [sum.add(x), sum.add(x)]
 * scan(running, scalar(0), xs) // => [10, [1, 3, 6, 10]]
 * scan(running, scalar(0), xs, { reverse: true }) // => [10, [10, 9, 7, 4]]
 *
 * const powers = (w: Tensor): Tensor => scan((y: Tensor) => [y.mul(w), y], scalar(1), undefined, { length: 5 })[1].sum()
 * powers(scalar(2)) // => 31
 * grad(powers)(scalar(2)) // => 49
 * ```
 */
export const scan = <C, X, Y>(
  body: (carry: C, x: X) => readonly [C, Y],
  init: C,
  xs: X,
  options: ScanOptions = {},
): readonly [C, Y] => {
  requireFunction('scan', body, 'scan((carry, x) => [next, y], init, xs)')
  requireKnown('scan', options, ['length', 'reverse', 'checkpoint'])
  const { length: given, reverse = false, checkpoint = false } = options
  const length = lengthOf(xs, given)
  const size = segmentOf(length, checkpoint)
  return size === undefined
    ? whole(body, init, xs, length, reverse)
    : inSegments(body, init, xs, { length, reverse, size })
}
