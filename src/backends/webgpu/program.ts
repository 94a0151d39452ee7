/**
 * A plan as a program on the GPU. A run writes the addresses where they have changed, and encodes all launches into few passes: nothing else
 * depends on which memory it is given, as long as that lies in the same chunks.
 */
import { literalBlock } from '../../compiler/arena.ts'
import { at } from '../../prelude/array.ts'
import type { Plan } from '../../compiler/plan.ts'
import type { Executable } from '../backend.ts'
import { slotsOf } from '../slots.ts'
import { allSlots, arrange, operationsPerBatch, type Arrangement } from './arrangement.ts'
import { usage } from './flags.ts'
import type { GpuMemory, Heap } from './memory.ts'
import type { Generated } from './phase.ts'
import type { Pipelines } from './pipelines.ts'
import { timeKernels } from './timing.ts'

/** What plans share, for only one runs at a time: temporaries, and what lies between the phases of a kernel. */
export interface Shared {
  arena: GpuMemory | undefined
  scratch: GpuMemory | undefined
}

/** What programs run with. */
export interface Machine {
  readonly device: GPUDevice
  readonly heap: Heap
  readonly pipelines: Pipelines
  readonly shared: Shared
  /** Throws where the GPU has refused memory, or a shader was wrong. */
  readonly requireSound: () => void
}

/** The memory in each slot. */
type Memories = readonly (GpuMemory | undefined)[]

/** Workgroups along one dimension of a dispatch. */
const mostGroups = 65535

/** Arrangements that a program keeps, the latest last: memory comes and goes, but seldom to new chunks. */
const mostKept = 4

/** An arrangement that is bound. */
interface Bound {
  readonly arrangement: Arrangement
  readonly key: string
  readonly blocks: GPUBuffer
  readonly launches: readonly { readonly pipeline: GPUComputePipeline; readonly group: GPUBindGroup }[]
  /** Where slots began when the blocks were written. */
  written: readonly number[]
}

/** Makes shared memory as large as a plan needs. Where there is too little, there is none afterwards. */
const grow = (heap: Heap, shared: Shared, which: keyof Shared, bytes: number): void => {
  const memory = shared[which]
  if (bytes === 0 || (memory !== undefined && memory.bytes >= bytes)) return
  shared[which] = undefined // given back before more is asked for, which may be in vain
  if (memory !== undefined) heap.release(memory)
  shared[which] = heap.allocate(bytes)
}

const chunksOf = (memories: Memories, count: number): readonly number[] =>
  Array.from({ length: count }, (_, slot) => memories[slot]?.chunk ?? 0)

/** Binds an arrangement to buffers. */
const boundTo = (arrangement: Arrangement, key: string, { device, heap, pipelines }: Machine): Bound => {
  const { launches, values, shown } = arrangement
  const blocks = device.createBuffer({ size: values.byteLength, usage: usage.uniform | usage.copyTarget })
  const groups = new Map<string, GPUBindGroup>()
  const groupOf = (chunks: readonly number[]): GPUBindGroup => {
    const made =
      groups.get(chunks.join()) ??
      device.createBindGroup({
        layout: pipelines.layout(chunks.length),
        entries: [
          { binding: 0, resource: { buffer: blocks, size: shown } },
          ...chunks.map((chunk, i) => ({ binding: i + 1, resource: { buffer: heap.bufferOf(chunk) } })),
        ],
      })
    groups.set(chunks.join(), made)
    return made
  }
  return {
    arrangement,
    key,
    blocks,
    launches: launches.map((launch) => ({ pipeline: pipelines.of(launch), group: groupOf(launch.chunks) })),
    written: [],
  }
}

/** Writes the blocks' addresses, where slots have moved. */
const writeBlocks = ({ queue }: GPUDevice, bound: Bound, memories: Memories, count: number): void => {
  const offsets = Array.from({ length: count }, (_, slot) => memories[slot]?.offset ?? 0)
  if (bound.written.length === count && offsets.every((offset, slot) => offset === bound.written[slot])) return
  const { values, addresses } = bound.arrangement
  for (const { index, slot, offset } of addresses) values[index] = (at(offsets, slot) + offset) / 4
  queue.writeBuffer(bound.blocks, 0, values)
  bound.written = offsets
}

/** Encodes launches `from … to` into a pass. */
const encode = (pass: GPUComputePassEncoder, { arrangement, launches }: Bound, from: number, to: number): void => {
  let current: GPUComputePipeline | undefined
  for (let i = from; i < to; i++) {
    const { pipeline, group } = at(launches, i)
    const { offset, first, end } = at(arrangement.launches, i)
    if (pipeline !== current) pass.setPipeline(pipeline)
    current = pipeline
    pass.setBindGroup(0, group, [offset])
    const rows = Math.ceil((end - first) / mostGroups)
    pass.dispatchWorkgroups(Math.ceil((end - first) / rows), rows)
  }
}

/** Runs of launches that are handed over together: from which to which. */
const batchesOf = ({ launches }: Arrangement): readonly (readonly [from: number, to: number])[] => {
  const batches: (readonly [number, number])[] = []
  let [from, operations] = [0, 0]
  launches.forEach((launch, i) => {
    operations += launch.operations
    if (operations < operationsPerBatch && i + 1 < launches.length) return
    batches.push([from, i + 1])
    ;[from, operations] = [i + 1, 0]
  })
  return batches
}

/** A plan with its code, ready for runs. */
export const makeProgram = (plan: Plan, generated: readonly Generated[], machine: Machine): Executable<GpuMemory> => {
  const { device, heap, pipelines, shared, requireSound } = machine
  const slots = slotsOf(plan)
  const { literals: literalSlot, count } = allSlots(plan)
  const scratchBytes = Math.max(0, ...generated.map((g) => g.scratch))
  const literals = plan.literalBytes === 0 ? undefined : heap.allocate(plan.literalBytes)
  if (literals !== undefined)
    device.queue.writeBuffer(heap.bufferOf(literals.chunk), literals.offset, literalBlock(plan).slice())

  /** The memory in all slots; shared memory grows to what this plan needs. */
  const memoriesOf = (given: readonly GpuMemory[]): Memories => {
    grow(heap, shared, 'arena', plan.arenaBytes)
    grow(heap, shared, 'scratch', scratchBytes)
    const found: (GpuMemory | undefined)[] = [...given]
    found[slots.arena] = shared.arena
    found[slots.scratch] = shared.scratch
    found[literalSlot] = literals
    return found
  }
  const arrangementIn = (chunks: readonly number[]): Arrangement => arrange(plan, generated, (slot) => at(chunks, slot))

  // The memory of arguments is not known yet: most lie in the first chunk. What differs is compiled when it is first run.
  const firstMemories = (): Memories => {
    try {
      return memoriesOf([])
    } catch (e) {
      if (literals !== undefined) heap.release(literals)
      throw e
    }
  }
  const likely = chunksOf(firstMemories(), count)
  const expected = arrangementIn(likely)
  const kept: Bound[] = []
  const drop = (bounds: readonly Bound[]): void => {
    for (const { blocks } of bounds) blocks.destroy()
  }
  const bind = (inputs: readonly GpuMemory[], outputs: readonly GpuMemory[]): Bound => {
    requireSound()
    const memories = memoriesOf([...inputs, ...outputs])
    const chunks = chunksOf(memories, count)
    const key = chunks.join()
    let bound = kept.find((b) => b.key === key)
    if (bound === undefined) {
      bound = boundTo(key === likely.join() ? expected : arrangementIn(chunks), key, machine)
      kept.push(bound)
      drop(kept.splice(0, kept.length - mostKept))
    }
    writeBlocks(device, bound, memories, count)
    return bound
  }
  return {
    ready: pipelines.prepare(expected.launches),
    run: (inputs, outputs) => {
      const bound = bind(inputs, outputs)
      for (const [from, to] of batchesOf(bound.arrangement)) {
        const encoder = device.createCommandEncoder()
        const pass = encoder.beginComputePass()
        encode(pass, bound, from, to)
        pass.end()
        device.queue.submit([encoder.finish()])
      }
    },
    profile: async (inputs, outputs) => {
      const bound = bind(inputs, outputs)
      const { launches } = bound.arrangement
      return timeKernels(device, plan.kernels.length, (pass, kernel) => {
        const first = launches.findIndex((launch) => launch.kernel === kernel)
        encode(pass, bound, first, launches.findLastIndex((launch) => launch.kernel === kernel) + 1)
      })
    },
    release: () => {
      drop(kept.splice(0))
      if (literals !== undefined) heap.release(literals)
    },
    choices: generated.map(({ choices = {} }) => choices),
    source: () =>
      generated.map((_, kernel) =>
        [...new Set(expected.launches.flatMap((launch) => (launch.kernel === kernel ? [launch.text] : [])))].join('\n'),
      ),
  }
}
