/** Loops: what a scan needs for what is asked of it, and the loop that has no more than that. */
import { at, range } from '../prelude/array.ts'
import { makeNode } from './node.ts'
import type { Loop, Node, NodeOf, ScanResult } from './ops.ts'
import { substitute } from './substitute.ts'
import { reachable } from './traverse.ts'

/** Positions among a loop's constants, carries and elements. */
export interface Demand {
  readonly constants: readonly number[]
  readonly carries: readonly number[]
  readonly elements: readonly number[]
}

/** Nodes of the body that are asked for in every turn. */
export const stackedNodes = (results: readonly ScanResult[]): readonly Node[] =>
  results.flatMap((r) => (r.kind === 'stacked' ? [r.node] : []))

const positionsOf = (parameters: readonly Node[], has: (parameter: Node, i: number) => boolean): readonly number[] =>
  range(parameters.length).filter((i) => has(at(parameters, i), i))

/** What must be there for some results of a loop: a carry that is needed needs in turn what its next value is made of. */
export const demandOf = ({ constants, carries, elements, next }: Loop, results: readonly ScanResult[]): Demand => {
  const last = new Set(results.flatMap((r) => (r.kind === 'last' ? [r.carry] : [])))
  const stacked = stackedNodes(results)
  let [nodes, count] = [new Set(reachable(stacked)), -1]
  const isCarried = (carry: Node, i: number): boolean => last.has(i) || nodes.has(carry)
  while (count !== positionsOf(carries, isCarried).length) {
    const carried = positionsOf(carries, isCarried)
    count = carried.length
    nodes = new Set(reachable([...stacked, ...carried.map((i) => at(next, i))]))
  }
  const isNeeded = (parameter: Node): boolean => nodes.has(parameter)
  return {
    constants: positionsOf(constants, isNeeded),
    carries: positionsOf(carries, isCarried),
    elements: positionsOf(elements, isNeeded),
  }
}

/** The inputs of a scan by what they are for. */
export const inputsOf = <T>(
  { constants, carries }: Loop,
  inputs: readonly T[],
): { readonly constants: readonly T[]; readonly carries: readonly T[]; readonly elements: readonly T[] } => ({
  constants: inputs.slice(0, constants.length),
  carries: inputs.slice(constants.length, constants.length + carries.length),
  elements: inputs.slice(constants.length + carries.length),
})

/** All parameters of a loop, in the order of a scan's inputs. */
export const parametersOf = ({ constants, carries, elements }: Loop): readonly NodeOf<'parameter'>[] => [
  ...constants,
  ...carries,
  ...elements,
]

/** What is asked of a loop. Elements as they are given, and carries that no turn changes, are there already. */
export const resultOf = (loop: Loop, inputs: readonly Node[], result: ScanResult): Node => {
  const given = inputsOf(loop, inputs)
  const element = loop.elements.findIndex((x) => result.kind === 'stacked' && x === result.node)
  if (element >= 0) return at(given.elements, element)
  if (result.kind === 'last' && at(loop.next, result.carry) === at(loop.carries, result.carry))
    return at(given.carries, result.carry)
  return makeNode('scan', { loop, result }, inputs)
}

const pick = <T>(list: readonly T[], positions: readonly number[]): readonly T[] => positions.map((i) => at(list, i))

/** The loop with nothing but what these results need, of these inputs; a result is there under another number. */
export const withoutIdle = (
  loop: Loop,
  results: readonly ScanResult[],
  inputs: readonly Node[],
): { readonly loop: Loop; readonly results: readonly ScanResult[]; readonly inputs: readonly Node[] } => {
  const { constants, carries, elements } = demandOf(loop, results)
  const given = inputsOf(loop, inputs)
  return {
    loop: {
      ...loop,
      constants: pick(loop.constants, constants),
      carries: pick(loop.carries, carries),
      elements: pick(loop.elements, elements),
      next: pick(loop.next, carries),
    },
    results: results.map((r) => (r.kind === 'last' ? { kind: 'last', carry: carries.indexOf(r.carry) } : r)),
    inputs: [...pick(given.constants, constants), ...pick(given.carries, carries), ...pick(given.elements, elements)],
  }
}

/** All that is asked of each loop, by each scan that asks: those of one loop with one list of inputs, in the order of the program. */
export const familiesIn = (nodes: readonly Node[]): ReadonlyMap<Node, readonly NodeOf<'scan'>[]> => {
  const byLoop = new Map<Loop, Map<readonly Node[], NodeOf<'scan'>[]>>()
  const found = new Map<Node, readonly NodeOf<'scan'>[]>()
  for (const node of nodes) {
    if (node.op !== 'scan') continue
    const ofLoop = byLoop.get(node.attrs.loop) ?? new Map<readonly Node[], NodeOf<'scan'>[]>()
    byLoop.set(node.attrs.loop, ofLoop)
    const family = ofLoop.get(node.inputs) ?? []
    ofLoop.set(node.inputs, family)
    family.push(node)
    found.set(node, family)
  }
  return found
}

/** A result of a loop, as one of another loop of the same content. */
export const resultIn = (to: Loop, from: Loop, result: ScanResult): ScanResult => {
  if (to === from || result.kind === 'last') return result
  const own = parametersOf(to)
  const [node] = substitute([result.node], new Map(parametersOf(from).map((p, i) => [p, at(own, i)])))
  return { kind: 'stacked', node: node ?? result.node }
}
