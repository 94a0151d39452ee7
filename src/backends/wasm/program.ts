/**
 * A plan as a program in memory: records of phases (control.ts), blocks of parameters, tables and literals; and a list for each part of
 * memory that can move of the words that change with it, so that a run writes no more than those.
 */
import { at } from '../../prelude/array.ts'
import { bytesPerElement, viewAs, type TypedArray } from '../../graph/dtype.ts'
import type { Kernel } from '../../compiler/kernel.ts'
import { bytesOf, type Plan } from '../../compiler/plan.ts'
import { prepareKernel } from '../cpu/run.ts'
import type { Executable } from '../backend.ts'
import { recordWords } from './control.ts'
import type { Generated, Parameter } from './kernelCode.ts'
import { doesNotFit, padded, type Heap, type WasmMemory } from './memory.ts'
import { shareOf, type Pool, type Sharing } from './pool.ts'

/** What plans share, for only one runs at a time: temporaries, and what lies between the phases of a kernel. */
export interface Shared {
  arena: WasmMemory
  scratch: WasmMemory
}

/** What runs one after the other: records, or a kernel in TypeScript. */
type Segment =
  | { readonly kind: 'records'; readonly first: number; readonly end: number }
  | { readonly kind: 'typescript'; readonly run: () => void }

/** Where a buffer lies: at an offset in one of the parts of memory that can move, or fixed. */
interface Place {
  readonly slot: number | 'fixed'
  readonly offset: number
}

const upload = (heap: Heap, values: TypedArray): number => {
  const { address } = heap.allocate(values.byteLength)
  new Uint8Array(heap.memory.buffer).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), address)
  return address
}

/** Slots: the arguments, the outputs, the arena, the scratch memory. */
const slotsOf = (plan: Plan): { readonly arena: number; readonly scratch: number; readonly count: number } => {
  const arena = plan.arguments.length + plan.outputs.length
  return { arena, scratch: arena + 1, count: arena + 2 }
}

const placesOf = (plan: Plan, heap: Heap): readonly Place[] =>
  plan.buffers.map(({ placement }): Place => {
    switch (placement.kind) {
      case 'argument':
        return { slot: placement.index, offset: 0 }
      case 'output':
        return { slot: plan.arguments.length + placement.index, offset: 0 }
      case 'temporary':
        return { slot: slotsOf(plan).arena, offset: placement.offset }
      case 'literal':
        return { slot: 'fixed', offset: upload(heap, placement.values) }
    }
  })

/** Nanoseconds that one thread may take for a kernel: by arithmetic, or by the bytes that go through memory. */
const estimate = (plan: Plan, kernel: Kernel): number => Math.max(kernel.flops / 50, bytesOf(plan, kernel) / 10)

/** What a program is made of. */
export interface Parts {
  readonly plan: Plan
  /** For each kernel its code, or why it has none. */
  readonly generated: readonly (Generated | string)[]
  /** Index of a phase's function in the table, by its key. */
  readonly functionOf: (key: string) => number
  readonly sharing: Sharing
}

/** Words as they are written before the first run, and which of them belong to which slot. */
interface Words {
  readonly values: Int32Array
  readonly patches: readonly Int32Array[]
}

const wordsOf = (parameters: readonly Parameter[], places: readonly Place[], heap: Heap, plan: Plan): Words => {
  const { scratch, count } = slotsOf(plan)
  const values = new Int32Array(parameters.length)
  const patches = Array.from({ length: count }, (): number[] => [])
  const tables = new Map<object, number>()
  parameters.forEach((parameter, i) => {
    if (typeof parameter === 'number') {
      values[i] = parameter
    } else if (parameter.kind === 'table') {
      const address = tables.get(parameter.values) ?? upload(heap, parameter.values)
      tables.set(parameter.values, address)
      values[i] = address
    } else if (parameter.kind === 'scratch') {
      patches[scratch]?.push(i, parameter.offset)
    } else {
      const { slot, offset } = at(places, parameter.buffer)
      if (slot === 'fixed') values[i] = offset + parameter.offset
      else patches[slot]?.push(i, offset + parameter.offset)
    }
  })
  return { values, patches: patches.map((p) => Int32Array.from(p)) }
}

/** Bytes that a run of the plan needs beside its arguments. */
const bytesBeside = (plan: Plan): number =>
  plan.outputs.reduce(
    (sum, { shape, dtype }) => sum + padded(shape.reduce((n, d) => n * d, 1) * bytesPerElement[dtype]),
    padded(plan.arenaBytes),
  )

const atLeast = (heap: Heap, range: WasmMemory, bytes: number): WasmMemory => {
  if (range.bytes >= bytes) return range
  heap.release(range)
  return heap.allocate(bytes)
}

/** Makes the shared parts of memory large enough for a plan. */
const reserve = (plan: Plan, generated: readonly (Generated | string)[], heap: Heap, shared: Shared): void => {
  const scratch = Math.max(0, ...generated.map((g) => (typeof g === 'string' ? 0 : g.scratch)))
  const needed = bytesBeside(plan) + Math.max(0, scratch - shared.scratch.bytes)
  if (needed > heap.left() + padded(shared.arena.bytes))
    throw doesNotFit('what the plan needs beside its arguments', needed, heap.used())
  shared.arena = atLeast(heap, shared.arena, plan.arenaBytes)
  shared.scratch = atLeast(heap, shared.scratch, scratch)
}

/** Records that follow one another run without JavaScript in between. */
const joinRecords = (segments: readonly Segment[]): readonly Segment[] => {
  const joined: Segment[] = []
  for (const segment of segments) {
    const last = joined.at(-1)
    if (segment.kind === 'records' && last?.kind === 'records')
      joined[joined.length - 1] = { ...last, end: segment.end }
    else joined.push(segment)
  }
  return joined
}

/** Writes a plan into memory as a program, whose functions are installed already: `run` binds what has moved since the last run, and runs. */
export const makeProgram = (
  { plan, generated, functionOf, sharing }: Parts,
  heap: Heap,
  pool: Pool,
  shared: Shared,
): Executable<WasmMemory> => {
  reserve(plan, generated, heap, shared)
  const places = placesOf(plan, heap)
  const phases = generated.flatMap((code, k) =>
    typeof code === 'string' ? [] : code.phases.map((phase) => ({ phase, kernel: at(plan.kernels, k) })),
  )
  const parameters = phases.flatMap(({ phase }) => phase.parameters)
  const { values, patches } = wordsOf(parameters, places, heap, plan)
  const blocks = heap.allocate(4 * values.length).address
  const records = heap.allocate(4 * recordWords * phases.length).address
  heap.words().set(values, blocks / 4)
  let block = blocks
  phases.forEach(({ phase, kernel }, i) => {
    const { chunk, calls } = shareOf(phase, estimate(plan, kernel), pool.threads, sharing)
    heap.words().set([functionOf(phase.key), block, phase.units, chunk, calls], records / 4 + recordWords * i)
    block += 4 * phase.parameters.length
  })

  const { arena, scratch, count } = slotsOf(plan)
  const bases = new Float64Array(count).fill(-1)
  const bind = (words: Int32Array, slot: number, base: number): void => {
    if (bases[slot] === base) return
    bases[slot] = base
    const patch = patches[slot] as Int32Array
    for (let i = 0; i < patch.length; i += 2) words[blocks / 4 + (patch[i] as number)] = base + (patch[i + 1] as number)
  }
  const bindAll = (inputs: readonly WasmMemory[], outputs: readonly WasmMemory[]): void => {
    const words = heap.words()
    for (let i = 0; i < inputs.length; i++) bind(words, i, (inputs[i] as WasmMemory).address)
    for (let i = 0; i < outputs.length; i++) bind(words, inputs.length + i, (outputs[i] as WasmMemory).address)
    bind(words, arena, shared.arena.address)
    bind(words, scratch, shared.scratch.address)
  }

  /** Typed arrays over buffers, for kernels in TypeScript; made again when the buffer has moved or the memory has grown. */
  const arrays: TypedArray[] = []
  const arrayOf = (buffer: number): TypedArray => {
    const { slot, offset } = at(places, buffer)
    const address = slot === 'fixed' ? offset : (bases[slot] as number) + offset
    const known = arrays[buffer]
    if (known !== undefined && known.byteOffset === address && known.buffer === heap.memory.buffer) return known
    const { dtype, length } = at(plan.buffers, buffer)
    const made = viewAs(dtype, heap.memory.buffer, address, length)
    arrays[buffer] = made
    return made
  }

  let next = records
  const segments = plan.kernels.map((kernel, k): Segment => {
    const code = at(generated, k)
    if (typeof code === 'string') return { kind: 'typescript', run: prepareKernel(kernel, arrayOf) }
    const first = next
    next += 4 * recordWords * code.phases.length
    return { kind: 'records', first, end: next }
  })
  const joined = joinRecords(segments)
  const perform = (segment: Segment): void => {
    if (segment.kind === 'records') pool.run(segment.first, segment.end)
    else segment.run()
  }
  return {
    run: (inputs, outputs) => {
      bindAll(inputs, outputs)
      for (const segment of joined) perform(segment)
    },
    profile: async (inputs, outputs) => {
      bindAll(inputs, outputs)
      const milliseconds = segments.map((segment) => {
        const start = performance.now()
        perform(segment)
        return performance.now() - start
      })
      return Promise.resolve(milliseconds)
    },
  }
}
