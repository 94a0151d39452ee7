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

/** The scan over a loop that has nothing but what this result needs. @param rewrite of the body's nodes, which changes no value */
export const withoutIdle = (
  { attrs: { loop, result }, inputs }: NodeOf<'scan'>,
  rewrite: (outputs: readonly Node[]) => readonly Node[],
): NodeOf<'scan'> => {
  const outputs = rewrite([...loop.next, ...stackedNodes([result])])
  const whole: Loop = { ...loop, next: outputs.slice(0, loop.next.length) }
  const own: ScanResult = result.kind === 'last' ? result : { kind: 'stacked', node: at(outputs, loop.next.length) }
  const demand = demandOf(whole, [own])
  const given = inputsOf(loop, inputs)
  const less: Loop = {
    ...loop,
    constants: pick(loop.constants, demand.constants),
    carries: pick(loop.carries, demand.carries),
    elements: pick(loop.elements, demand.elements),
    next: pick(whole.next, demand.carries),
  }
  return makeNode(
    'scan',
    { loop: less, result: own.kind === 'last' ? { kind: 'last', carry: demand.carries.indexOf(own.carry) } : own },
    [
      ...pick(given.constants, demand.constants),
      ...pick(given.carries, demand.carries),
      ...pick(given.elements, demand.elements),
    ],
  )
}

/** A result of a loop, as one of another loop of the same content. */
export const resultIn = (to: Loop, from: Loop, result: ScanResult): ScanResult => {
  if (to === from || result.kind === 'last') return result
  const own = parametersOf(to)
  const [node] = substitute([result.node], new Map(parametersOf(from).map((p, i) => [p, at(own, i)])))
  return { kind: 'stacked', node: node ?? result.node }
}
