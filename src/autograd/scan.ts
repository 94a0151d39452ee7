/**
 * The derivative of a loop: a loop that goes backwards.
 *
 * With c' = f(c, x) in every turn, the cotangent of c is that of c' pulled back through the turn, and those of what is the same in every turn are sums
 * over the turns. A turn backwards needs values of its turn forwards: they are asked of the forward loop, stacked, if they cannot be had more cheaply
 * from what the loop goes over. (As in JAX, whose scan is differentiated in the same way.)
 */
import { at } from '../prelude/array.ts'
import { isFloat, type DType } from '../graph/dtype.ts'
import { inputsOf, parametersOf, stackedNodes } from '../graph/loop.ts'
import { makeNode, withInputs } from '../graph/node.ts'
import { isElementwise, type Loop, type Node, type NodeOf } from '../graph/ops.ts'
import { reachable } from '../graph/traverse.ts'
import { zeros, zerosLike } from '../tensor/create.ts'
import { Tensor } from '../tensor/tensor.ts'

type Scan = NodeOf<'scan'>
type Parameter = NodeOf<'parameter'>

/** Reverse mode through the body: cotangents of the sources from those of outputs. */
type Backward = (
  seeds: readonly (readonly [output: Node, cotangent: Tensor])[],
  sources: readonly Node[],
) => readonly (Tensor | null)[]

/** A cotangent that arrives at something that was asked of the loop. */
export type Arriving = readonly (readonly [scan: Scan, cotangent: Tensor])[]

const parameterOf = (shape: readonly number[], dtype: DType): Parameter =>
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
const forwardNodes = (loop: Loop, stacked: readonly Node[], backwards: readonly Node[]): ReadonlySet<Node> => {
  const forward = new Set(reachable([...loop.next, ...stacked, ...parametersOf(loop)]))
  for (const node of reachable(backwards))
    if (node.op === 'scan' && node.inputs.every((x) => forward.has(x))) forward.add(node)
  return forward
}

/** The parameters of a loop backwards that stand for values of the loop forwards, as they are found to be needed. */
interface Residuals {
  readonly constants: Map<Node, Parameter>
  readonly elements: Map<Node, Parameter>
  /** By node of the body: stacked by the loop forwards. */
  readonly stacked: Map<Node, Parameter>
}

const named = (map: Map<Node, Parameter>, node: Node): Parameter => {
  const known = map.get(node) ?? parameterOf(node.shape, node.dtype)
  map.set(node, known)
  return known
}

/** The outputs of a turn backwards over parameters of its own: nodes of the turn forwards are made again, or asked of it. */
const overResiduals = (
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

/** Halves are summed in f32 over the turns. */
const sumDType = (dtype: DType): DType => (dtype === 'f16' ? 'f32' : dtype)

/** What flows through a turn backwards: a carry of the loop backwards, and the value it begins with. */
interface Flow {
  readonly parameter: Parameter
  readonly initial: Tensor
}

const flowsOf = (nodes: readonly Node[], initialOf: (i: number) => Tensor): readonly (Flow | undefined)[] =>
  nodes.map((node, i) => {
    if (!isFloat(node.dtype)) return undefined
    const initial = initialOf(i)
    return { parameter: parameterOf(initial.shape, initial.dtype), initial }
  })

/** Cotangents of all inputs of a loop, in their order, from those of what was asked of it; null where none flows. */
export const scanCotangents = (
  family: readonly Scan[],
  arriving: Arriving,
  backward: Backward,
): readonly (Tensor | null)[] => {
  const { inputs, attrs } = at(family, 0)
  const { loop } = attrs
  const lastOf = (carry: number): Tensor | undefined =>
    arriving.find(
      ([
        {
          attrs: { result },
        },
      ]) => result.kind === 'last' && result.carry === carry,
    )?.[1]
  const carried = flowsOf(loop.carries, (i) =>
    (lastOf(i) ?? zerosLike(new Tensor(at(loop.carries, i)))).cast(at(loop.carries, i).dtype),
  )
  const summed = flowsOf(loop.constants, (i) =>
    zeros(at(loop.constants, i).shape, sumDType(at(loop.constants, i).dtype)),
  )
  const stackedSeeds = arriving.flatMap(
    ([
      {
        attrs: { result },
      },
      g,
    ]) =>
      result.kind === 'stacked' ? [{ node: result.node, g, parameter: parameterOf(result.node.shape, g.dtype) }] : [],
  )
  const seeds = [
    ...loop.next.flatMap((node, i) => {
      const flow = carried[i]
      return flow === undefined ? [] : [[node, new Tensor(flow.parameter)] as const]
    }),
    ...stackedSeeds.map(({ node, parameter }) => [node, new Tensor(parameter)] as const),
  ]
  const found = inputsOf(loop, backward(seeds, parametersOf(loop)))
  const nextCarried = carried.flatMap((flow, i) => {
    if (flow === undefined) return []
    const g = found.carries[i] ?? zerosLike(new Tensor(flow.parameter))
    return [g.cast(flow.parameter.dtype).node]
  })
  const nextSummed = summed.flatMap((flow, i) => {
    const g = found.constants[i]
    return flow === undefined || g === undefined || g === null
      ? []
      : [new Tensor(flow.parameter).add(g.cast(flow.parameter.dtype)).node]
  })
  const given = found.elements.flatMap((g) => (g === null ? [] : [g.node]))

  const residuals: Residuals = { constants: new Map(), elements: new Map(), stacked: new Map() }
  const backwards = [...nextCarried, ...nextSummed, ...given]
  const forward = forwardNodes(loop, stackedNodes(family.map((n) => n.attrs.result)), backwards)
  const outputs = overResiduals(loop, backwards, forward, residuals)

  const flows = [
    ...carried.flatMap((flow) => flow ?? []),
    ...summed.flatMap((flow, i) => (flow === undefined || (found.constants[i] ?? null) === null ? [] : [flow])),
  ]
  const inputOf = new Map<Node, Node>(parametersOf(loop).map((p, i) => [p, at(inputs, i)]))
  const outer = (nodes: Iterable<Node>): readonly Node[] => [...nodes].map((node) => inputOf.get(node) ?? node)
  const back: Loop = {
    length: loop.length,
    reverse: !loop.reverse,
    constants: [...residuals.constants.values()],
    carries: flows.map((flow) => flow.parameter),
    elements: [...stackedSeeds.map((s) => s.parameter), ...residuals.elements.values(), ...residuals.stacked.values()],
    next: outputs.slice(0, flows.length),
  }
  const backInputs: readonly Node[] = [
    ...outer(residuals.constants.keys()),
    ...flows.map((flow) => flow.initial.node),
    ...stackedSeeds.map((s) => s.g.node),
    ...outer(residuals.elements.keys()),
    ...[...residuals.stacked.keys()].map((node) =>
      makeNode('scan', { loop, result: { kind: 'stacked', node } }, inputs),
    ),
  ]
  const lastFlow = (flow: Flow | undefined): Tensor | null => {
    const carry = flow === undefined ? -1 : flows.indexOf(flow)
    return carry < 0 ? null : new Tensor(makeNode('scan', { loop: back, result: { kind: 'last', carry } }, backInputs))
  }
  const perElement = outputs.slice(flows.length).values()
  return [
    ...summed.map(lastFlow),
    ...carried.map(lastFlow),
    ...found.elements.map((g) => {
      const node = g === null ? undefined : perElement.next().value
      return node === undefined
        ? null
        : new Tensor(makeNode('scan', { loop: back, result: { kind: 'stacked', node } }, backInputs))
    }),
  ]
}
