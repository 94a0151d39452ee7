/** Values of a loop forwards, as its derivative needs them: asked of it, stacked, if a turn backwards cannot have them more cheaply. */
import type { DType } from '../graph/dtype.ts'
import { parametersOf } from '../graph/loop.ts'
import { makeNode, withInputs } from '../graph/node.ts'
import { isElementwise, type Loop, type Node, type NodeOf } from '../graph/ops.ts'
import type { Shape } from '../graph/shape.ts'
import { reachable } from '../graph/traverse.ts'

type Parameter = NodeOf<'parameter'>

/** A parameter of a loop. */
export const parameterOf = ({ shape, dtype }: { readonly shape: Shape; readonly dtype: DType }): Parameter =>
  makeNode('parameter', { index: 0, shape, dtype }, [])

/** Nodes that only show values in another way: they are made again from what they show. */
const views: ReadonlySet<string> = new Set(['alias', 'stopGradient', 'broadcast', 'reshape', 'transpose', 'reverse'])

/** Elementwise operations that a turn backwards does again, where it needs nothing but constants and elements for them. */
const fewOperations = 8

/** How many operations it takes to make each node from constants and elements alone; of what cannot be made so, infinitely many. */
const effortsOf = (loop: Loop, nodes: readonly Node[]): ReadonlyMap<Node, number> => {
  const given = new Set<Node>([...loop.constants, ...loop.elements])
  const efforts = new Map<Node, number>()
  for (const node of nodes) {
    const isCheap = node.op !== 'parameter' && (node.inputs.length === 0 || views.has(node.op) || isElementwise(node))
    const own = given.has(node) ? 0 : isCheap ? Number(isElementwise(node)) : Infinity
    efforts.set(
      node,
      node.inputs.reduce((sum, x) => sum + (efforts.get(x) ?? Infinity), own),
    )
  }
  return efforts
}

/** The nodes of the turn forwards, with what inner loops are asked for by their own derivatives. */
export const forwardNodes = (loop: Loop, stacked: readonly Node[], backwards: readonly Node[]): ReadonlySet<Node> => {
  const forward = new Set(reachable([...loop.next, ...stacked, ...parametersOf(loop)]))
  for (const node of reachable(backwards))
    if (node.op === 'scan' && node.inputs.every((x) => forward.has(x))) forward.add(node)
  return forward
}

/** The parameters of a loop backwards that stand for values of the loop forwards, as they are found to be needed. */
export interface Residuals {
  readonly constants: Map<Node, Parameter>
  readonly elements: Map<Node, Parameter>
  /** By node of the body: stacked by the loop forwards. */
  readonly stacked: Map<Node, Parameter>
}

const named = (map: Map<Node, Parameter>, node: Node): Parameter => {
  const known = map.get(node) ?? parameterOf(node)
  map.set(node, known)
  return known
}

/** The outputs of a turn backwards over parameters of its own: nodes of the turn forwards are made again, or asked of it. */
export const overResiduals = (
  loop: Loop,
  outputs: readonly Node[],
  forward: ReadonlySet<Node>,
  residuals: Residuals,
): readonly Node[] => {
  const [constants, elements] = [new Set<Node>(loop.constants), new Set<Node>(loop.elements)]
  const efforts = effortsOf(
    loop,
    [...forward].toSorted((a, b) => a.id - b.id),
  )
  const became = new Map<Node, Node>()
  const lists = new Map<readonly Node[], readonly Node[]>()
  const isMadeAgain = (node: Node): boolean =>
    !forward.has(node) || views.has(node.op) || (efforts.get(node) ?? Infinity) <= fewOperations
  const leafOf = (node: Node): Node | undefined => {
    if (constants.has(node)) return named(residuals.constants, node)
    if (elements.has(node)) return named(residuals.elements, node)
    return isMadeAgain(node) ? undefined : named(residuals.stacked, node)
  }
  const needed = new Set<Node>(outputs)
  for (const node of needed) {
    const leaf = leafOf(node)
    if (leaf === undefined) for (const x of node.inputs) needed.add(x)
    else became.set(node, leaf)
  }
  for (const node of [...needed].toSorted((a, b) => a.id - b.id)) {
    if (became.has(node)) continue
    const inputs = lists.get(node.inputs) ?? node.inputs.map((x) => became.get(x) ?? x)
    lists.set(node.inputs, inputs)
    became.set(node, withInputs(node, inputs))
  }
  return outputs.map((node) => became.get(node) ?? node)
}
