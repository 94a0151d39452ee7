/**
 * A plan as a program in memory: records of phases (control.ts), blocks of parameters, tables and literals; and a list for each part of
 * memory that can move of the words that change with it, so that a run writes no more than those.
 */
import { at } from '../../prelude/array.ts'
import { bytesPerElement, type TypedArray } from '../../graph/dtype.ts'
import { sizeOf } from '../../graph/shape.ts'
import type { Kernel, LoopKernel, Routine } from '../../compiler/kernel.ts'
import { placesOfTurn, type Begin } from '../../compiler/turn.ts'
import { literalBlock } from '../../compiler/arena.ts'
import { bytesOf } from '../../compiler/cost.ts'
import type { Plan } from '../../compiler/plan.ts'
import type { Executable } from '../backend.ts'
import { bytesBeside, placesOf, slotsOf, type Place } from '../slots.ts'
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
const estimate = (plan: Routine, kernel: Kernel): number => Math.max(kernel.flops / 50, bytesOf(plan, kernel) / 10)

/** What a program is made of. */
export interface Parts {
  readonly plan: Plan
  /** The code of each kernel. */
  readonly generated: readonly Generated[]
  /** Index of a phase's function in the table, by its key. */
  readonly functionOf: (key: string) => number
  readonly sharing: Sharing
}

/** What a routine is made of: a plan, or the body of a loop. */
export interface RoutineParts extends Omit<Parts, 'plan'> {
  readonly routine: Routine
  /** Address of the block of literals. */
  readonly literals: number
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
const wordsOf = (
  { parameters, starts }: Layout,
  blocks: number,
  owned: Owned,
  { routine, literals, functionOf }: RoutineParts,
): Words => {
  const { scratch, count } = slotsOf(routine)
  const places = placesOf(routine)
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
const bytesKept = (plan: Plan, generated: readonly Generated[]): number =>
  roomOf(plan.literalBytes) + bytesOfRoutine(generated)

const bytesOfRoutine = (generated: readonly Generated[]): number => {
  const phases = generated.flatMap((g) => g.phases)
  const { parameters } = layoutOf(phases)
  const tables = new Set(parameters.flatMap((w) => (isTable(w) ? [w.values] : [])))
  return (
    [...tables].reduce((sum, values) => sum + padded(values.byteLength), 0) +
    padded(4 * parameters.length) +
    padded(4 * recordWords * phases.length) +
    generated.reduce((sum, { body }) => sum + (body === undefined ? 0 : bytesOfRoutine(body)), 0)
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

/** A routine in memory: bound to where its parts of memory lie, it can run. */
interface Runnable {
  readonly bind: (slot: number, base: number) => void
  readonly run: () => void
  readonly runKernel: (kernel: number) => void
}

/** A loop in memory. @param addressOf where a buffer of the routine lies that the loop is part of */
const loopIn = (
  owned: Owned,
  kernel: LoopKernel,
  parts: RoutineParts,
  pool: Pool,
  { addressOf, scratch }: { readonly addressOf: (begin: Begin) => number; readonly scratch: () => number },
): (() => void) => {
  const { body, turns, workspace } = kernel
  const inner = routineIn(owned, { ...parts, routine: body, literals: 0 }, pool)
  const slots = slotsOf(body)
  return () => {
    inner.bind(slots.arena, addressOf({ buffer: workspace.buffer, bytes: 0 }))
    inner.bind(slots.scratch, scratch())
    for (let turn = 0; turn < turns; turn++) {
      const { inputs, outputs } = placesOfTurn(kernel, turn)
      for (let i = 0; i < inputs.length; i++) inner.bind(i, addressOf(inputs[i] as Begin))
      for (let i = 0; i < outputs.length; i++) inner.bind(inputs.length + i, addressOf(outputs[i] as Begin))
      inner.run()
    }
  }
}

/** Writes a routine into memory. */
const routineIn = (owned: Owned, parts: RoutineParts, pool: Pool): Runnable => {
  const { heap } = owned
  const { routine, generated, functionOf, sharing, literals } = parts
  const phases = generated.flatMap((code, k) => code.phases.map((phase) => ({ phase, kernel: at(routine.kernels, k) })))
  const layout = layoutOf(phases.map(({ phase }) => phase))
  const blocks = reserveOwned(owned, 4 * layout.parameters.length)
  const { values, patches } = wordsOf(layout, blocks, owned, parts)
  const records = reserveOwned(owned, 4 * recordWords * phases.length)
  heap.words().set(values, blocks / 4)
  phases.forEach(({ phase, kernel }, i) => {
    const { chunk, calls } = shareOf(phase, estimate(routine, kernel), pool.threads, sharing)
    const block = blocks + 4 * (layout.starts.get(phase.parameters) ?? 0)
    heap.words().set([functionOf(phase.key), block, phase.units, chunk, calls], records / 4 + recordWords * i)
  })

  const { count, scratch } = slotsOf(routine)
  const bases = new Float64Array(count).fill(-1)
  const bind = (slot: number, base: number): void => {
    if (bases[slot] === base) return
    bases[slot] = base
    const words = heap.words()
    const patch = patches[slot] as Int32Array
    for (let i = 0; i < patch.length; i += 2) words[blocks / 4 + (patch[i] as number)] = base + (patch[i + 1] as number)
  }
  const places = placesOf(routine)
  const addressOf = ({ buffer, bytes }: Begin): number => {
    const { slot, offset } = places[buffer] as Place
    return (slot === 'literals' ? literals : (bases[slot] as number)) + offset + bytes
  }

  let next = records
  const ends = generated.map((code) => (next += 4 * recordWords * code.phases.length))
  const begins = [records, ...ends]
  const loops = routine.kernels.map((kernel, k) => {
    const body = at(generated, k).body
    if (kernel.kind !== 'loop' || body === undefined) return undefined
    return loopIn(owned, kernel, { ...parts, generated: body }, pool, {
      addressOf,
      scratch: () => bases[scratch] as number,
    })
  })
  return {
    bind,
    run: () => {
      let from = records
      loops.forEach((loop, k) => {
        if (loop === undefined) return
        if (from < at(begins, k)) pool.run(from, at(begins, k))
        from = at(begins, k)
        loop()
      })
      if (from < next) pool.run(from, next)
    },
    runKernel: (k) => {
      const loop = loops[k]
      if (loop === undefined) pool.run(at(begins, k), at(ends, k))
      else loop()
    },
  }
}

const programIn = (owned: Owned, parts: Parts, pool: Pool, shared: Shared): Executable<WasmMemory> => {
  const { heap } = owned
  const { plan, generated } = parts
  const literals = plan.literalBytes === 0 ? 0 : upload(owned, literalBlock(plan))
  const routine = routineIn(owned, { ...parts, routine: plan, literals }, pool)
  const scratchBytes = scratchOf(generated)
  const { arena, scratch } = slotsOf(plan)
  const bindAll = (inputs: readonly WasmMemory[], outputs: readonly WasmMemory[]): void => {
    makeRoom(heap, shared, 'arena', plan.arenaBytes)
    makeRoom(heap, shared, 'scratch', scratchBytes)
    for (let i = 0; i < inputs.length; i++) routine.bind(i, (inputs[i] as WasmMemory).address)
    for (let i = 0; i < outputs.length; i++) routine.bind(inputs.length + i, (outputs[i] as WasmMemory).address)
    routine.bind(arena, shared.arena.address)
    routine.bind(scratch, shared.scratch.address)
  }
  return {
    run: (inputs, outputs) => {
      bindAll(inputs, outputs)
      routine.run()
    },
    profile: async (inputs, outputs) => {
      bindAll(inputs, outputs)
      const milliseconds = plan.kernels.map((_, k) => {
        const start = performance.now()
        routine.runKernel(k)
        return performance.now() - start
      })
      return Promise.resolve(milliseconds)
    },
    release: () => {
      releaseOwned(owned)
    },
  }
}
