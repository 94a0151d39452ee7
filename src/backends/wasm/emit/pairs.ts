/**
 * Values that neighbours share: what depends on an index through its half alone is the same for elements 2k and 2k + 1. Random words come in such
 * pairs, a block of the cipher each, so that it is encrypted for eight elements at once and not for four.
 */
import { at } from '../../../prelude/array.ts'
import { apply, type Expression } from '../assembler/code.ts'
import { keep, type Emitter } from './emitter.ts'
import type { BodyStructure } from './leaf.ts'

type Instruction = BodyStructure['instructions'][number]

/** The instructions of a body by what they are for pairs. */
export interface Pairs {
  /** Those whose values neighbours share. */
  readonly shared: ReadonlySet<number>
  /** Shared ones that others, or the outputs, need. */
  readonly wanted: readonly number[]
  /** What is needed for the shared ones. */
  readonly within: ReadonlySet<number>
}

/** So many shared instructions pay for what it costs to spread them. */
const fewest = 8

/** Whether this halves an index. */
const isHalf = ({ instructions }: BodyStructure, instruction: Instruction): boolean => {
  if (instruction.kind !== 'apply' || instruction.op !== 'shiftRight') return false
  const [x, by] = instruction.inputs.map((i) => at(instructions, i))
  return x?.kind === 'index' && by?.kind === 'literal' && by.value >= 1 && by.value < 32
}

const needed = ({ instructions }: BodyStructure, wanted: readonly number[]): ReadonlySet<number> => {
  const found = new Set<number>(wanted)
  for (let i = instructions.length - 1; i >= 0; i--) {
    const instruction = at(instructions, i)
    if (found.has(i) && instruction.kind === 'apply') for (const k of instruction.inputs) found.add(k)
  }
  return found
}

/**
 * The pairs of a body, if there are enough to be worth it.
 *
 * @param stays whether a leaf has the same value for all elements
 * @param outputs instructions whose values are written
 */
export const pairsOf = (
  body: BodyStructure,
  stays: (instruction: number) => boolean,
  outputs: readonly number[],
): Pairs | undefined => {
  const same = new Set<number>()
  const shared = new Set<number>()
  body.instructions.forEach((instruction, i) => {
    if (instruction.kind === 'literal' || (instruction.kind !== 'apply' && stays(i))) same.add(i)
    if (instruction.kind !== 'apply') return
    if (isHalf(body, instruction)) shared.add(i)
    else if (instruction.inputs.every((k) => same.has(k))) same.add(i)
    else if (instruction.inputs.every((k) => same.has(k) || shared.has(k))) shared.add(i)
  })
  if (shared.size < fewest) return undefined
  const users = body.instructions.flatMap((x, i) => (x.kind === 'apply' && !shared.has(i) ? x.inputs : []))
  const wanted = [...shared].filter((i) => users.includes(i) || outputs.includes(i))
  return { shared, wanted, within: needed(body, wanted) }
}

/** Of four pairs' values those of the first four elements, or of the last. */
export const spread = (e: Emitter, pairs: Expression, half: 0 | 1): Expression => {
  const lane = (k: number): readonly number[] => [0, 1, 2, 3].map((byte) => 4 * (2 * half + k) + byte)
  return keep(e, 'spread', apply('i8x16.shuffle', [pairs, pairs], ...lane(0), ...lane(0), ...lane(1), ...lane(1)))
}
