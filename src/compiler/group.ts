/**
 * Kernels of one structure that do not need each other become one, with several members: the optimizer's updates of all parameters, the
 * projections of one embedding to all blocks. Each would be too little work for what a launch costs.
 *
 * Kernels only move in the order, so no bit changes. A kernel moves to an earlier one of its structure that comes behind all that it reads, or to a
 * later one that comes before all that reads it; and only where little lives longer because of it, and memory reaches no new peak.
 */
import { at } from '../prelude/array.ts'
import { memoryKey } from './buffer.ts'
import {
  operandsOf,
  resultsOf,
  type Body,
  type ElementwiseKernel,
  type GroupKernel,
  type Kernel,
  type Member,
  type Result,
} from './kernel.ts'
import type { Limits } from './limits.ts'
import { joinReasons } from './reason.ts'
import { bytesExtended, deathOf, heldUntil, move, peakOf, type Extension, type Timeline } from './timeline.ts'

/** Bytes of temporaries that may live longer for a kernel that moves: what is larger had better be read while it is near. */
const fewBytes = 2 ** 16

const bodyKey = ({ instructions }: Body): string =>
  instructions
    .map((i) => {
      switch (i.kind) {
        case 'literal':
          return `${i.dtype} ${Object.is(i.value, -0) ? '-0' : i.value}`
        case 'apply':
          return `${i.dtype} ${i.op}(${i.inputs.join()})`
        default:
          return `${i.dtype} ${i.kind}`
      }
    })
    .join('; ')

const furtherKey = ({ further = [] }: ElementwiseKernel): string => further.map((r) => r.instruction).join()

/** What code for the kernel depends on apart from sizes and places; undefined for kinds of which one is enough work for a launch. */
const structureOf = (kernel: Kernel): string | undefined => {
  switch (kernel.kind) {
    case 'elementwise':
      return `elementwise ${bodyKey(kernel.body)} > ${furtherKey(kernel)}`
    case 'reduce':
      return `${kernel.operation} ${kernel.dtype} ${bodyKey(kernel.body)}`
    case 'gemm':
      return `gemm ${kernel.x.dtype} ${kernel.dtype} ${kernel.epilogue === undefined ? '' : bodyKey(kernel.epilogue)}`
    case 'rows':
      return `rows ${kernel.stages.map(structureOf).join(' | ')}`
    default:
      return undefined
  }
}

const asGroup = ([first, ...rest]: readonly Member[]): Kernel | undefined => {
  const last = rest.at(-1)
  if (first === undefined || last === undefined) return first
  const members = [first, ...rest]
  const group: GroupKernel = {
    kind: 'group',
    members,
    output: last.output,
    dtype: last.dtype,
    computes: `${members.length} × ${first.computes}`,
    reason: joinReasons(members.map((m) => m.reason)),
    flops: members.reduce((sum, m) => sum + m.flops, 0),
  }
  return group
}

/** While groups are made: the timeline, with the members at each place beside it. */
interface Grouping {
  readonly timeline: Timeline
  readonly peak: number
  readonly limits: Limits
  readonly members: (readonly Member[])[]
  /** Place → the pieces of memory that its kernels touch, where that has been asked. */
  readonly memories: Map<number, Set<string>>
  /** Argument → the output that is written in its place, and back. */
  readonly writtenOver: ReadonlyMap<number, number>
  readonly writesOver: ReadonlyMap<number, number>
}

const results = (kernel: Member): readonly Result[] => resultsOf(kernel)

const firstOf = (places: Iterable<number>): number => Math.min(Infinity, ...places)

/** Behind which place the kernel must stay: what it reads is written there, or there an argument is read last that it writes over. */
const lowest = ({ timeline, writesOver }: Grouping, kernel: Member, place: number): number => {
  const written = operandsOf(kernel).map(({ buffer }) => timeline.writer.get(buffer) ?? -1)
  const over = results(kernel).flatMap(({ buffer }) => {
    const argument = writesOver.get(buffer)
    return argument === undefined ? [] : [...(timeline.readers.get(argument) ?? [])].filter((p) => p !== place)
  })
  return Math.max(-1, ...written, ...over)
}

/** Before which place the kernel must stay: what it writes is read there, or there an argument is written over that it reads. */
const highest = ({ timeline, writtenOver }: Grouping, kernel: Member, place: number): number => {
  const read = results(kernel).map(({ buffer }) => firstOf(timeline.readers.get(buffer) ?? []))
  const over = operandsOf(kernel).map(({ buffer }) => {
    const output = writtenOver.get(buffer)
    const writer = output === undefined ? undefined : timeline.writer.get(output)
    return writer === undefined || writer === place ? Infinity : writer
  })
  return firstOf([...read, ...over])
}

/** What lives where it did not if the kernel moves. What stages leave to each other lives at the kernel's own place alone, beside that of all members there. */
const extensionsOf = ({ timeline }: Grouping, kernel: Member, from: number, to: number): readonly Extension[] => {
  const written = results(kernel).map(({ buffer }) => buffer)
  if (to < from) return written.map((buffer) => ({ buffer, from: to, to: from - 1 }))
  const inside = written.filter((buffer) => deathOf(timeline, buffer) < to)
  return [
    ...inside.map((buffer) => ({ buffer, from: to, to })),
    ...heldUntil(timeline, kernel, to).filter((x) => x.from <= to),
  ]
}

/** The pieces of memory that a kernel touches. */
const memoriesOf = ({ timeline }: Grouping, kernel: Member): ReadonlySet<string> =>
  new Set([...operandsOf(kernel), ...results(kernel)].map(({ buffer }) => memoryKey(at(timeline.buffers, buffer))))

/** The pieces of memory that the kernels at a place touch: kept, for a group grows by one member at a time. */
const memoriesAt = (grouping: Grouping, place: number): Set<string> => {
  const known = grouping.memories.get(place)
  if (known !== undefined) return known
  const found = new Set(at(grouping.members, place).flatMap((member) => [...memoriesOf(grouping, member)]))
  grouping.memories.set(place, found)
  return found
}

/** Moves a member to the kernels at another place, if it may; whether it did. */
const moveMember = (grouping: Grouping, member: Member, from: number, to: number): boolean => {
  const { timeline, peak, limits, members } = grouping
  const extensions = extensionsOf(grouping, member, from, to)
  if (bytesExtended(timeline, extensions) > fewBytes) return false
  const touched = memoriesAt(grouping, to)
  const further = [...memoriesOf(grouping, member)].filter((memory) => !touched.has(memory))
  if (touched.size + further.length > limits.memories) return false
  const staying = at(members, from).filter((m) => m !== member)
  if (!move(timeline, peak, { kernel: member, from, to, staying, extensions })) return false
  members[from] = staying
  members[to] = to < from ? [...at(members, to), member] : [member, ...at(members, to)]
  grouping.memories.delete(from)
  for (const memory of further) touched.add(memory)
  return true
}

/** Goes over the places in one direction; each member moves to the kernel of its structure that was met last, if that is far enough. */
const sweep = (grouping: Grouping, places: readonly number[], direction: 'earlier' | 'later'): void => {
  const met = new Map<string, number>()
  for (const place of places)
    for (const member of at(grouping.members, place)) {
      const key = structureOf(member)
      if (key === undefined) continue
      const to = met.get(key)
      const isFree =
        to !== undefined &&
        to !== place &&
        (direction === 'earlier' ? to > lowest(grouping, member, place) : to < highest(grouping, member, place))
      if (!isFree || !moveMember(grouping, member, place, to)) met.set(key, place)
    }
}

/** Makes groups. @param overwrites outputs' buffers that are written where an argument's lies, with that */
export const groupKernels = (timeline: Timeline, limits: Limits, overwrites: ReadonlyMap<number, number>): void => {
  const members = timeline.kernels.map((k): readonly Member[] =>
    k === undefined || k.kind === 'group' || k.kind === 'loop' ? [] : [k],
  )
  const grouping: Grouping = {
    timeline,
    peak: peakOf(timeline),
    limits,
    members,
    memories: new Map(),
    writesOver: overwrites,
    writtenOver: new Map([...overwrites].map(([output, argument]) => [argument, output])),
  }
  const places = [...timeline.kernels.keys()]
  sweep(grouping, places, 'earlier')
  sweep(grouping, places.toReversed(), 'later')
  members.forEach((together, place) => {
    if (timeline.kernels[place]?.kind !== 'loop') timeline.kernels[place] = asGroup(together)
  })
}
