/** A plan's launches where its memory lies in certain chunks: their blocks one behind the other, and which of the words are addresses. */
import { at, range } from '../../prelude/array.ts'
import type { Kernel, LoopKernel, Routine } from '../../compiler/kernel.ts'
import type { Plan } from '../../compiler/plan.ts'
import { placesOfTurn, type Begin } from '../../compiler/turn.ts'
import { placesOf, slotsOf } from '../slots.ts'
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

/** Where a pointer leads, in the plan's memory. */
type PlaceOf = (pointer: Pointer) => SlotPlace

interface SlotPlace {
  readonly slot: number
  readonly offset: number
}

const placesIn = (plan: Plan): PlaceOf => {
  const places = placesOf(plan)
  const { literals } = allSlots(plan)
  const { scratch } = slotsOf(plan)
  return (pointer) => {
    if (pointer.kind === 'scratch') return { slot: scratch, offset: pointer.offset }
    const { slot, offset } = at(places, pointer.buffer)
    return { slot: slot === 'literals' ? literals : slot, offset }
  }
}

/** Where the buffers of a loop's body lie in a turn. */
const placesInTurn = (kernel: LoopKernel, turn: number, outer: PlaceOf): PlaceOf => {
  const { body, workspace } = kernel
  const { inputs, outputs } = placesOfTurn(kernel, turn)
  const moved = ({ buffer, bytes }: Begin): SlotPlace => {
    const { slot, offset } = outer({ kind: 'buffer', buffer })
    return { slot, offset: offset + bytes }
  }
  return (pointer) => {
    if (pointer.kind === 'scratch') return outer(pointer)
    const { placement } = at(body.buffers, pointer.buffer)
    switch (placement.kind) {
      case 'argument':
        return moved(at(inputs, placement.index))
      case 'output':
        return moved(at(outputs, placement.index))
      case 'temporary':
      case 'literal': // those of a body are arguments
        return moved({ buffer: workspace.buffer, bytes: placement.offset })
    }
  }
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

/** A launch without its place, and where its pointers lead. */
interface Unplaced {
  readonly launch: Omit<Placed, 'offset'>
  readonly placeOf: PlaceOf
}

/** What is known while launches are found: those of kernels of a loop's body, by the chunks that its pointers lead to, for they are the same in most turns. */
interface Finding {
  readonly chunkOf: (slot: number) => number
  readonly known: Map<Generated, Map<string, readonly Omit<Placed, 'offset'>[]>>
}

const pointersOf = ({ stages }: Generated): readonly Pointer[] =>
  stages.flatMap((phases) => phases.flatMap((p) => p.written.words.filter((w) => w.kind !== 'number')))

/** The launches of a kernel where its memory lies in certain chunks. */
const launchesOfKernel = (
  code: Generated,
  { flops }: Kernel,
  index: number,
  placeOf: PlaceOf,
  { chunkOf, known }: Finding,
): readonly Omit<Placed, 'offset'>[] => {
  const chunk = (pointer: Pointer): number => chunkOf(placeOf(pointer).slot)
  const bySignature = known.get(code) ?? new Map<string, readonly Omit<Placed, 'offset'>[]>()
  known.set(code, bySignature)
  const signature = pointersOf(code).map(chunk).join()
  const launches =
    bySignature.get(signature) ??
    code.stages.flatMap((phases) => launchesOf(phases, chunk)).flatMap((launch) => cut(launch, index, flops))
  bySignature.set(signature, launches)
  return launches
}

/** The launches of a routine in their order, a loop's turn by turn. @param index the plan's kernel that it is part of, where it is a body */
const launchesOfRoutine = (
  { kernels }: Routine,
  generated: readonly Generated[],
  placeOf: PlaceOf,
  finding: Finding,
  index?: number,
): readonly Unplaced[] =>
  generated.flatMap((code, k) => {
    const kernel = at(kernels, k)
    const own = index ?? k
    if (kernel.kind !== 'loop')
      return launchesOfKernel(code, kernel, own, placeOf, finding).map((launch) => ({ launch, placeOf }))
    return range(kernel.turns).flatMap((turn) =>
      launchesOfRoutine(kernel.body, code.body ?? [], placesInTurn(kernel, turn, placeOf), finding, own),
    )
  })

/** Arranges a plan's launches. @param chunkOf the chunk in which a slot lies */
export const arrange = (
  plan: Plan,
  generated: readonly Generated[],
  chunkOf: (slot: number) => number,
): Arrangement => {
  let bytes = 0
  const found = launchesOfRoutine(plan, generated, placesIn(plan), { chunkOf, known: new Map() })
  const launches = found.map(({ launch }): Placed => {
    const offset = bytes
    bytes += Math.ceil((4 * (headWords + launch.words.length)) / blockAlignment) * blockAlignment
    return { ...launch, offset }
  })
  const shown = launches.reduce((most, l) => Math.max(most, 4 * l.blockWords), blockAlignment)
  const values = new Uint32Array((bytes + shown) / 4) // what a binding shows of the last block ends behind it
  const addresses: AddressWord[] = []
  launches.forEach(({ offset, first, end, members, words }, i) => {
    const { placeOf } = at(found, i)
    const begin = offset / 4
    values[begin] = first
    values[begin + 1] = end
    values[begin + 2] = members
    words.forEach((word, w) => {
      const index = begin + headWords + w
      if (word.kind === 'number') values[index] = word.value
      else addresses.push({ index, ...placeOf(word) })
    })
  })
  return { launches, values, addresses, shown }
}
