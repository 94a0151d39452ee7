/** A turn of a loop as a graph of its own, with no more than what the program asks of the loop; and where its values lie from turn to turn. */
import { at } from '../prelude/array.ts'
import { bytesPerElement } from '../graph/dtype.ts'
import { demandOf, inputsOf, stackedNodes } from '../graph/loop.ts'
import type { Node, NodeOf } from '../graph/ops.ts'
import type { Carry, LoopKernel, Strided } from './kernel.ts'

/** All that a program asks of one loop, and one turn of it: parameters and outputs are those of {@link LoopKernel}'s body. */
export interface Turn {
  readonly length: number
  readonly reverse: boolean
  /** The program's nodes that feed the parameters, in three lists. */
  readonly constants: readonly Node[]
  readonly initial: readonly Node[]
  readonly elements: readonly Node[]
  readonly parameters: readonly NodeOf<'parameter'>[]
  /** The carries of the next turn, then what is stacked. */
  readonly outputs: readonly Node[]
  /** The program's nodes that are the carries behind the last turn, by carry: more than one never, none where only other turns need it. */
  readonly last: readonly (NodeOf<'scan'> | undefined)[]
  readonly stacked: readonly NodeOf<'scan'>[]
}

const isScan = (node: Node): node is NodeOf<'scan'> => node.op === 'scan'

/** The turn of the loop that a node of a canonical program belongs to. */
export const turnOf = (nodes: readonly Node[], { inputs, attrs: { loop } }: NodeOf<'scan'>): Turn => {
  const family = nodes.filter(isScan).filter((n) => n.inputs === inputs && n.attrs.loop === loop)
  const results = family.map((n) => n.attrs.result)
  const demand = demandOf(loop, results)
  const given = inputsOf(loop, inputs)
  const pick = <T>(list: readonly T[], positions: readonly number[]): readonly T[] => positions.map((i) => at(list, i))
  return {
    length: loop.length,
    reverse: loop.reverse,
    constants: pick(given.constants, demand.constants),
    initial: pick(given.carries, demand.carries),
    elements: pick(given.elements, demand.elements),
    parameters: [
      ...pick(loop.constants, demand.constants),
      ...pick(loop.carries, demand.carries),
      ...pick(loop.elements, demand.elements),
    ],
    outputs: [...pick(loop.next, demand.carries), ...stackedNodes(results)],
    last: demand.carries.map((carry) =>
      family.find(({ attrs: { result } }) => result.kind === 'last' && result.carry === carry),
    ),
    stacked: family.filter((n) => n.attrs.result.kind === 'stacked'),
  }
}

/** Where a value of a turn begins: bytes into a buffer. */
export interface Begin {
  readonly buffer: number
  readonly bytes: number
}

const written = ({ last, spare }: Carry, workspace: number, isSpare: boolean): Begin =>
  isSpare && spare !== undefined ? { buffer: workspace, bytes: spare } : { buffer: last.buffer, bytes: 0 }

const elementAt = ({ buffer, dtype, offset, step }: Strided, i: number): Begin => ({
  buffer,
  bytes: (offset + i * step) * bytesPerElement[dtype],
})

const whole = ({ buffer }: { readonly buffer: number }): Begin => ({ buffer, bytes: 0 })

/**
 * Where the arguments and the results of a turn's body lie. Carries go back and forth between two places, so that the last turn writes where
 * the loop's result is; the first reads what it is given.
 */
export const placesOfTurn = (
  { turns, reverse, constants, carries, elements, literals, stacked, workspace }: LoopKernel,
  turn: number,
): { readonly inputs: readonly Begin[]; readonly outputs: readonly Begin[] } => {
  const i = reverse ? turns - 1 - turn : turn
  const isSpare = (turns - turn) % 2 === 0
  return {
    inputs: [
      ...constants.map(whole),
      ...carries.map((c) => (turn === 0 ? whole(c.initial) : written(c, workspace.buffer, !isSpare))),
      ...elements.map((x) => elementAt(x, i)),
      ...literals.map(whole),
    ],
    outputs: [...carries.map((c) => written(c, workspace.buffer, isSpare)), ...stacked.map((x) => elementAt(x, i))],
  }
}
