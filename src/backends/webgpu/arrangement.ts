/** A plan's launches where its memory lies in certain chunks: their blocks one behind the other, and which of the words are addresses. */
import { at } from '../../prelude/array.ts'
import type { Plan } from '../../compiler/plan.ts'
import { placesOf, slotsOf, type Place } from '../slots.ts'
import { launchesOf, type Launch } from './launch.ts'
import type { Generated } from './phase.ts'
import { headWords, type Pointer } from './wgsl/shader.ts'

/** Blocks begin at multiples of this, in bytes. */
const blockAlignment = 256

/** Floating-point operations after which a batch of work is handed over: a system's watchdog ends what takes the GPU for seconds. */
export const operationsPerBatch = 2e11

/** A launch in its place. */
export interface Placed extends Launch {
  /** Bytes before its block. */
  readonly offset: number
  /** The kernel that it belongs to. */
  readonly kernel: number
  /** The first of its workgroups, and the one behind its last: a launch that takes too long is several. */
  readonly first: number
  readonly end: number
  readonly operations: number
}

/** A word that is an address: its place among all words, and where it leads. */
export interface AddressWord {
  readonly index: number
  readonly slot: number
  readonly offset: number
}

/** Launches with their words. */
export interface Arrangement {
  readonly launches: readonly Placed[]
  /** All words of all blocks, without addresses. */
  readonly values: Uint32Array<ArrayBuffer>
  readonly addresses: readonly AddressWord[]
  /** Bytes that a binding shows of the blocks. */
  readonly shown: number
}

/** The slots of a plan, and one more for its literals. */
export const allSlots = (plan: Plan): { readonly literals: number; readonly count: number } => {
  const { count } = slotsOf(plan)
  return { literals: count, count: count + 1 }
}

/** Where a pointer leads. */
const placeOf = (
  plan: Plan,
  places: readonly Place[],
  pointer: Pointer,
): { readonly slot: number; readonly offset: number } => {
  if (pointer.kind === 'scratch') return { slot: slotsOf(plan).scratch, offset: pointer.offset }
  const { slot, offset } = at(places, pointer.buffer)
  return { slot: slot === 'literals' ? allSlots(plan).literals : slot, offset }
}

/** A launch as one or several, each of which takes not too long. */
const cut = (launch: Launch, kernel: number, flops: number): readonly Omit<Placed, 'offset'>[] => {
  const cuts = Math.min(launch.groups, Math.max(1, Math.ceil(flops / operationsPerBatch)))
  const each = Math.ceil(launch.groups / cuts)
  return Array.from({ length: Math.ceil(launch.groups / each) }, (_, i) => {
    const [first, end] = [i * each, Math.min(launch.groups, (i + 1) * each)]
    return { ...launch, kernel, first, end, operations: (flops * (end - first)) / launch.groups }
  })
}

/** Arranges a plan's launches. @param chunkOf the chunk in which a slot lies */
export const arrange = (
  plan: Plan,
  generated: readonly Generated[],
  chunkOf: (slot: number) => number,
): Arrangement => {
  const places = placesOf(plan)
  let bytes = 0
  const launches = generated.flatMap(({ stages }, kernel) =>
    stages
      .flatMap((phases) => launchesOf(phases, (pointer) => chunkOf(placeOf(plan, places, pointer).slot)))
      .flatMap((launch) => cut(launch, kernel, at(plan.kernels, kernel).flops))
      .map((launch): Placed => {
        const offset = bytes
        bytes += Math.ceil((4 * (headWords + launch.words.length)) / blockAlignment) * blockAlignment
        return { ...launch, offset }
      }),
  )
  const shown = Math.max(blockAlignment, ...launches.map((l) => 4 * l.blockWords))
  const values = new Uint32Array((bytes + shown) / 4) // what a binding shows of the last block ends behind it
  const addresses: AddressWord[] = []
  for (const { offset, first, end, members, words } of launches) {
    const begin = offset / 4
    values[begin] = first
    values[begin + 1] = end
    values[begin + 2] = members
    words.forEach((word, i) => {
      const index = begin + headWords + i
      if (word.kind === 'number') values[index] = word.value
      else addresses.push({ index, ...placeOf(plan, places, word) })
    })
  }
  return { launches, values, addresses, shown }
}
