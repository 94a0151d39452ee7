/**
 * Batching a loop: one loop over all slices. What differs from slice to slice is found turn by turn: a carry that begins alike for all slices
 * differs from the turn on in which something of a slice enters it, so it is mapped from the beginning (JAX's rule for `scan`).
 */
import { at } from '../../prelude/array.ts'
import { familiesIn, inputsOf, parametersOf, resultOf, stackedNodes } from '../../graph/loop.ts'
import { makeNode } from '../../graph/node.ts'
import type { Loop, Node, NodeOf } from '../../graph/ops.ts'
import { swapAxes } from '../../tensor/movement.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { repeated, type Batched, type Wholes } from './batching.ts'

/** Batches the outputs of a body. */
type BatchBody = (outputs: readonly Node[], wholes: Wholes) => readonly Batched[]

/** The graph around loops, while it is being batched. */
interface Surroundings {
  readonly size: number
  /** What a node has become. */
  readonly given: (node: Node) => Batched
  readonly batchBody: BatchBody
}

/** A loop over all slices, its inputs, and what the nodes of its body that were asked for have become. */
interface BatchedLoop {
  readonly loop: Loop
  readonly inputs: readonly Node[]
  /** By the position of the carry. */
  readonly carries: readonly boolean[]
  readonly stacked: ReadonlyMap<Node, Batched>
}

/** The first two axes exchanged: a loop goes over axis 0, where a batch has its slices. */
const exchanged = (node: Node): Node => swapAxes(new Tensor(node), 0, 1).node

/** The parameter for one slice, or for all where it is mapped. */
const placeFor = (parameter: NodeOf<'parameter'>, isMapped: boolean, size: number): NodeOf<'parameter'> =>
  isMapped
    ? makeNode('parameter', { ...parameter.attrs, shape: [size, ...parameter.shape], dtype: parameter.dtype }, [])
    : parameter

/**
 * The loop over all slices.
 *
 * @param stacked nodes of the body that are asked for in every turn
 * @param given what the inputs have become
 */
const batchLoop = (
  loop: Loop,
  stacked: readonly Node[],
  given: readonly Batched[],
  size: number,
  batchBody: BatchBody,
): BatchedLoop => {
  const own = parametersOf(loop)
  const firstCarry = loop.constants.length
  const isMapped = given.map((x) => x.isMapped)
  /** The body with these inputs mapped; begun again where a carry turns out to be mapped that was not. */
  const bodyFor = (which: readonly boolean[]): readonly [readonly boolean[], readonly Node[], readonly Batched[]] => {
    const places = own.map((p, i) => placeFor(p, at(which, i), size))
    const names = new Map(own.flatMap((p, i) => (at(which, i) ? [[p, at(places, i)] as const] : [])))
    const made = batchBody([...loop.next, ...stacked], names)
    const more = which.map(
      (m, i) => m || (i >= firstCarry && (made.slice(0, loop.next.length)[i - firstCarry]?.isMapped ?? false)),
    )
    return more.every((m, i) => m === which[i]) ? [which, places, made] : bodyFor(more)
  }
  const [which, places, made] = bodyFor(isMapped)
  const parts = inputsOf(
    loop,
    places.filter((p): p is NodeOf<'parameter'> => p.op === 'parameter'),
  )
  const carries = which.slice(firstCarry, firstCarry + loop.carries.length)
  const whole = ({ node, isMapped: isWhole }: Batched): Node => (isWhole ? node : repeated(node, size))
  const next = loop.next.map((_, i) => (at(carries, i) ? whole(at(made, i)) : at(made, i).node))
  const inputs = given.map((x, i) => {
    if (!at(which, i)) return x.node
    return i < firstCarry + loop.carries.length ? whole(x) : exchanged(x.node)
  })
  return {
    loop: { ...loop, ...parts, next },
    inputs,
    carries,
    stacked: new Map(stacked.map((node, i) => [node, at(made, loop.next.length + i)])),
  }
}

/** What was asked of the loop for one slice, for all. */
const batchedResult = (
  { loop, inputs, carries, stacked }: BatchedLoop,
  { attrs: { result } }: NodeOf<'scan'>,
): Batched => {
  if (result.kind === 'last') return { node: resultOf(loop, inputs, result), isMapped: at(carries, result.carry) }
  const became = stacked.get(result.node)
  if (became === undefined) throw new RangeError('vmap: a loop is asked for a node that is none of its body')
  const node = resultOf(loop, inputs, { kind: 'stacked', node: became.node })
  return became.isMapped ? { node: exchanged(node), isMapped: true } : { node, isMapped: false }
}

/** Batches what is asked of the loops among some nodes: a loop with one list of inputs once, with all that is asked of it. */
export const loopsIn = (
  nodes: readonly Node[],
  { size, given, batchBody }: Surroundings,
): ((node: NodeOf<'scan'>) => Batched) => {
  const families = familiesIn(nodes)
  const done = new Map<readonly NodeOf<'scan'>[], BatchedLoop>()
  return (node) => {
    const family = families.get(node) ?? [node]
    const asked = stackedNodes(family.map((scan) => scan.attrs.result))
    const made = done.get(family) ?? batchLoop(node.attrs.loop, asked, node.inputs.map(given), size, batchBody)
    done.set(family, made)
    return batchedResult(made, node)
  }
}
