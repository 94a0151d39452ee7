/**
 * A plan as a program in memory: records of phases (control.ts), blocks of parameters, tables and literals; and a list for each part of
 * memory that can move of the words that change with it, so that a run writes no more than those.
 */
import { at } from '../../prelude/array.ts'
import { bytesPerElement, type TypedArray } from '../../graph/dtype.ts'
import { sizeOf } from '../../graph/shape.ts'
import type { Kernel } from '../../compiler/kernel.ts'
import { literalBlock } from '../../compiler/arena.ts'
import { bytesOf } from '../../compiler/cost.ts'
import type { Plan } from '../../compiler/plan.ts'
import type { Executable } from '../backend.ts'
import { bytesBeside, placesOf, slotsOf } from '../slots.ts'
import { recordWords } from './threads/control.ts'
import type { Generated, Parameter, Phase } from './emit/kernelCode.ts'
import { doesNotFit, padded, type Heap, type WasmMemory } from './memory.ts'
import { shareOf, type Pool, type Sharing } from './threads/pool.ts'

/** What plans share, for only one runs at a time: temporaries, and what lies between the phases of a kernel. */
export interface Shared {
  arena: WasmMemory
  scratch: WasmMemory
}

/** Memory of one program: given back as a whole. */
interface Owned {
  readonly heap: Heap
  readonly ranges: WasmMemory[]
}

const reserveOwned = ({ heap, ranges }: Owned, bytes: number): number => {
  const range = heap.allocate(bytes)
  ranges.push(range)
  return range.address
}

const releaseOwned = ({ heap, ranges }: Owned): void => {
  for (const range of ranges.splice(0)) heap.release(range)
}

const upload = (owned: Owned, values: TypedArray): number => {
  const address = reserveOwned(owned, values.byteLength)
  new Uint8Array(owned.heap.memory.buffer).set(
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    address,
  )
  return address
}

/** Nanoseconds that one thread may take for a kernel: by arithmetic, or by the bytes that go through memory. */
const estimate = (plan: Plan, kernel: Kernel): number => Math.max(kernel.flops / 50, bytesOf(plan, kernel) / 10)

/** What a program is made of. */
export interface Parts {
  readonly plan: Plan
  /** The code of each kernel. */
  readonly generated: readonly Generated[]
  /** Index of a phase's function in the table, by its key. */
  readonly functionOf: (key: string) => number
  readonly sharing: Sharing
}

/** Words as they are written before the first run, and which of them belong to which slot. */
interface Words {
  readonly values: Int32Array
  readonly patches: readonly Int32Array[]
}

/** Blocks one behind the other, each before those that lie in it; and where each begins, in words. */
interface Layout {
  readonly parameters: readonly Parameter[]
  readonly starts: ReadonlyMap<readonly Parameter[], number>
}

/** The blocks of phases, and all blocks whose addresses are words of others. */
const layoutOf = (phases: readonly Phase[]): Layout => {
  const starts = new Map<readonly Parameter[], number>()
  const parameters: Parameter[] = []
  const add = (words: readonly Parameter[]): void => {
    if (starts.has(words)) return
    starts.set(words, parameters.length)
    for (const word of words) parameters.push(word)
    for (const word of words) if (typeof word !== 'number' && word.kind === 'block') add(word.words)
  }
  for (const phase of phases) add(phase.parameters)
  return { parameters, starts }
}

/** Writes the words of blocks; addresses of blocks are those of a layout that begins at `blocks`. */
const wordsOf = ({ parameters, starts }: Layout, blocks: number, owned: Owned, { plan, functionOf }: Parts): Words => {
  const { scratch, count } = slotsOf(plan)
  const places = placesOf(plan)
  const literals = plan.literalBytes === 0 ? 0 : upload(owned, literalBlock(plan))
  const values = new Int32Array(parameters.length)
  const patches = Array.from({ length: count }, (): number[] => [])
  const tables = new Map<object, number>()
  const tableAt = (of: TypedArray): number => {
    const address = tables.get(of) ?? upload(owned, of)
    tables.set(of, address)
    return address
  }
  const valueOf = (parameter: Exclude<Parameter, number>, i: number): number => {
    switch (parameter.kind) {
      case 'table':
        return tableAt(parameter.values)
      case 'function':
        return functionOf(parameter.key)
      case 'block':
        return blocks + 4 * (starts.get(parameter.words) ?? 0)
      case 'scratch':
        patches[scratch]?.push(i, parameter.offset)
        return 0
      case 'buffer': {
        const { slot, offset } = at(places, parameter.buffer)
        if (slot === 'literals') return literals + offset + parameter.offset
        patches[slot]?.push(i, offset + parameter.offset)
        return 0
      }
    }
  }
  parameters.forEach((parameter, i) => {
    values[i] = typeof parameter === 'number' ? parameter : valueOf(parameter, i)
  })
  return { values, patches: patches.map((p) => Int32Array.from(p)) }
}

/** Bytes of a shared part that is asked for; of none there is no memory. */
const roomOf = (bytes: number): number => (bytes === 0 ? 0 : padded(bytes))

/** Bytes of all that is written once and stays: literals, tables, blocks of parameters, records. */
const bytesKept = (plan: Plan, generated: readonly Generated[]): number => {
  const phases = generated.flatMap((g) => g.phases)
  const { parameters } = layoutOf(phases)
  const tables = new Set(parameters.flatMap((w) => (isTable(w) ? [w.values] : [])))
  return (
    [...tables].reduce((sum, values) => sum + padded(values.byteLength), 0) +
    roomOf(plan.literalBytes) +
    padded(4 * parameters.length) +
    padded(4 * recordWords * phases.length)
  )
}

const isTable = (word: Parameter): word is Extract<Parameter, { kind: 'table' }> =>
  typeof word !== 'number' && word.kind === 'table'

const scratchOf = (generated: readonly Generated[]): number =>
  generated.reduce((most, g) => Math.max(most, g.scratch), 0)

/** Bytes that a run of the plan takes in a memory that has nothing else. */
export const bytesNeeded = (plan: Plan, generated: readonly Generated[]): number =>
  plan.arguments.reduce((sum, { shape, dtype }) => sum + padded(sizeOf(shape) * bytesPerElement[dtype]), 0) +
  bytesBeside(plan, padded) +
  roomOf(scratchOf(generated)) +
  bytesKept(plan, generated)

/** No memory: what shared parts are before the first plan, and after one that could not grow. */
export const noMemory: WasmMemory = { address: 0, bytes: 0 }

/**
 * Makes a shared part of memory at least so large. What it was goes first, for both may not fit; where it then cannot grow there is none of it, and
 * each plan asks again before it runs.
 */
const makeRoom = (heap: Heap, shared: Shared, part: keyof Shared, bytes: number): void => {
  const before = shared[part]
  if (before.bytes >= bytes) return
  shared[part] = noMemory
  if (before !== noMemory) heap.release(before)
  shared[part] = heap.allocate(bytes)
}

/** Makes the shared parts of memory large enough for a plan. */
const reserve = (plan: Plan, generated: readonly Generated[], heap: Heap, shared: Shared): void => {
  const scratch = scratchOf(generated)
  const needed = bytesBeside(plan, padded) + Math.max(0, scratch - shared.scratch.bytes)
  if (needed > heap.left() + shared.arena.bytes)
    throw doesNotFit('what the plan needs beside its arguments', needed, heap.used())
  makeRoom(heap, shared, 'arena', plan.arenaBytes)
  makeRoom(heap, shared, 'scratch', scratch)
}

/** Writes a plan into memory as a program, whose functions are installed already: `run` binds what has moved since the last run, and runs. */
export const makeProgram = (parts: Parts, heap: Heap, pool: Pool, shared: Shared): Executable<WasmMemory> => {
  reserve(parts.plan, parts.generated, heap, shared)
  const owned: Owned = { heap, ranges: [] }
  try {
    return programIn(owned, parts, pool, shared)
  } catch (e) {
    releaseOwned(owned)
    throw e
  }
}

const programIn = (owned: Owned, parts: Parts, pool: Pool, shared: Shared): Executable<WasmMemory> => {
  const { heap } = owned
  const { plan, generated, functionOf, sharing } = parts
  const phases = generated.flatMap((code, k) => code.phases.map((phase) => ({ phase, kernel: at(plan.kernels, k) })))
  const layout = layoutOf(phases.map(({ phase }) => phase))
  const blocks = reserveOwned(owned, 4 * layout.parameters.length)
  const { values, patches } = wordsOf(layout, blocks, owned, parts)
  const records = reserveOwned(owned, 4 * recordWords * phases.length)
  heap.words().set(values, blocks / 4)
  phases.forEach(({ phase, kernel }, i) => {
    const { chunk, calls } = shareOf(phase, estimate(plan, kernel), pool.threads, sharing)
    const block = blocks + 4 * (layout.starts.get(phase.parameters) ?? 0)
    heap.words().set([functionOf(phase.key), block, phase.units, chunk, calls], records / 4 + recordWords * i)
  })

  const scratchBytes = scratchOf(generated)
  const { arena, scratch, count } = slotsOf(plan)
  const bases = new Float64Array(count).fill(-1)
  const bind = (words: Int32Array, slot: number, base: number): void => {
    if (bases[slot] === base) return
    bases[slot] = base
    const patch = patches[slot] as Int32Array
    for (let i = 0; i < patch.length; i += 2) words[blocks / 4 + (patch[i] as number)] = base + (patch[i + 1] as number)
  }
  const bindAll = (inputs: readonly WasmMemory[], outputs: readonly WasmMemory[]): void => {
    makeRoom(heap, shared, 'arena', plan.arenaBytes)
    makeRoom(heap, shared, 'scratch', scratchBytes)
    const words = heap.words()
    for (let i = 0; i < inputs.length; i++) bind(words, i, (inputs[i] as WasmMemory).address)
    for (let i = 0; i < outputs.length; i++) bind(words, inputs.length + i, (outputs[i] as WasmMemory).address)
    bind(words, arena, shared.arena.address)
    bind(words, scratch, shared.scratch.address)
  }

  let next = records
  const endOf = generated.map((code) => (next += 4 * recordWords * code.phases.length))
  return {
    run: (inputs, outputs) => {
      bindAll(inputs, outputs)
      pool.run(records, next)
    },
    profile: async (inputs, outputs) => {
      bindAll(inputs, outputs)
      const milliseconds = endOf.map((end, k) => {
        const start = performance.now()
        pool.run(k === 0 ? records : at(endOf, k - 1), end)
        return performance.now() - start
      })
      return Promise.resolve(milliseconds)
    },
    release: () => {
      releaseOwned(owned)
    },
  }
}
