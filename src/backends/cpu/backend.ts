/**
 * The cpu backend: pure TypeScript, in two forms that agree bit for bit. `interpreted` runs a program one primitive at a time and is
 * the specification; `fused` runs the plan's kernels through blocked loops.
 */
import { at } from '../../prelude/array.ts'
import { OutOfMemory } from '../../prelude/errors.ts'
import { viewAs, type TypedArray } from '../../graph/dtype.ts'
import { sizeOf } from '../../graph/shape.ts'
import { showBytes } from '../../compiler/print.ts'
import { literalBlock } from '../../compiler/arena.ts'
import { memoryOf } from '../../compiler/cost.ts'
import type { Plan, Slot } from '../../compiler/plan.ts'
import { allDTypes } from '../../compiler/dtypes.ts'
import { usualLimits } from '../../compiler/limits.ts'
import type { Backend, Executable } from '../backend.ts'
import { interpret } from './interpret.ts'
import { prepareKernel, type Run } from './run.ts'
import { elements, type CpuMemory } from './store.ts'

const slotElements = (memory: CpuMemory, slot: Slot): TypedArray => elements(memory, slot.dtype, sizeOf(slot.shape))

/** Computes the outputs of a plan from its arguments. */
type Interpreter = (plan: Plan, inputs: readonly TypedArray[]) => readonly TypedArray[]

const interpreted = (plan: Plan, interpreter: Interpreter): Executable<CpuMemory> => ({
  run: (inputs, outputs) => {
    const results = interpreter(
      plan,
      inputs.map((m, i) => slotElements(m, at(plan.arguments, i)).slice()), // an output may lie where an argument did
    )
    results.forEach((values, i) => {
      slotElements(at(outputs, i), at(plan.outputs, i)).set(values)
    })
  },
  release: () => undefined, // it keeps nothing but the plan
})

/** Memory that plans share for their temporaries: as large as the largest asked for; only one plan runs at a time. */
interface Arena {
  buffer: ArrayBuffer
}

/** How long a kernel takes. */
const millisecondsOf = (run: Run): number => {
  const start = performance.now()
  run()
  return performance.now() - start
}

/** Makes a kernel ready to run. */
type Prepare = typeof prepareKernel

const fused = (plan: Plan, arena: Arena, prepare: Prepare): Executable<CpuMemory> => {
  if (arena.buffer.byteLength < plan.arenaBytes) arena.buffer = allocateBuffer(plan.arenaBytes)
  const arrays: TypedArray[] = []
  const literals = literalBlock(plan).buffer
  const bufferOf = (buffer: number): TypedArray => arrays[buffer] as TypedArray
  const runs = plan.kernels.map((kernel) => prepare(kernel, bufferOf))
  const bind = (inputs: readonly CpuMemory[], outputs: readonly CpuMemory[]): void => {
    plan.buffers.forEach(({ dtype, length, placement }, i) => {
      if (placement.kind === 'argument') arrays[i] = elements(at(inputs, placement.index), dtype, length)
      else if (placement.kind === 'output') arrays[i] = elements(at(outputs, placement.index), dtype, length)
      else if (placement.kind === 'literal') arrays[i] ??= viewAs(dtype, literals, placement.offset, length)
      else if (arrays[i]?.buffer !== arena.buffer) arrays[i] = viewAs(dtype, arena.buffer, placement.offset, length)
    })
  }
  return {
    run: (inputs, outputs) => {
      bind(inputs, outputs)
      for (const run of runs) run()
    },
    profile: async (inputs, outputs) => {
      bind(inputs, outputs)
      return Promise.resolve(runs.map(millisecondsOf))
    },
    release: () => undefined, // it keeps nothing but the plan
  }
}

/** Freed memory by size: a training step frees exactly what the next one allocates. */
interface Pool {
  readonly bySize: Map<number, CpuMemory[]>
  bytes: number
}

/** Bytes that a pool keeps; more is left to the collector, for shapes that never come again would stay for ever. */
const mostPooled = 2 ** 30

/** A fresh buffer of zeros. */
const allocateBuffer = (bytes: number): ArrayBuffer => {
  try {
    return new ArrayBuffer(bytes)
  } catch {
    throw new OutOfMemory(`cpu: ${showBytes(bytes)} are asked for, and this JavaScript engine has no such memory left`)
  }
}

const take = (pool: Pool, bytes: number): CpuMemory => {
  const known = pool.bySize.get(bytes)?.pop()
  if (known === undefined) return { bytes, buffer: allocateBuffer(bytes), offset: 0 }
  pool.bytes -= bytes
  return known
}

const give = (pool: Pool, memory: CpuMemory): void => {
  if (pool.bytes + memory.bytes > mostPooled) return
  pool.bytes += memory.bytes
  const free = pool.bySize.get(memory.bytes)
  if (free === undefined) pool.bySize.set(memory.bytes, [memory])
  else free.push(memory)
}

const open = (name: string, prepare: (plan: Plan, arena: Arena) => Executable<CpuMemory>): Backend => {
  const pool: Pool = { bySize: new Map(), bytes: 0 }
  const arena: Arena = { buffer: new ArrayBuffer(0) }
  const backend: Backend<CpuMemory> = {
    name,
    description: 'cpu, in TypeScript',
    threads: 1,
    memoryLimit: Infinity,
    limits: usualLimits,
    dtypes: allDTypes,
    bytesNeeded: memoryOf,
    allocate: (bytes) => take(pool, bytes),
    release: (memory) => {
      give(pool, memory)
    },
    write: (memory, values) => {
      new Uint8Array(memory.buffer, memory.offset, memory.bytes).set(
        new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
      )
    },
    read: (memory) => Promise.resolve(new Uint8Array(memory.buffer, memory.offset, memory.bytes).slice()),
    prepare: (plan) => prepare(plan, arena),
    close: () => {
      pool.bySize.clear()
      pool.bytes = 0
      arena.buffer = new ArrayBuffer(0)
      return Promise.resolve()
    },
  }
  return backend as unknown as Backend // memory that this backend gets back is memory that it has given
}

/** A backend that runs programs one primitive at a time. */
export const interpretedBackend = (interpreter: Interpreter): Backend =>
  open('cpu, one primitive at a time', (plan) => interpreted(plan, interpreter))

/** Opens the cpu backend in one of its forms. @param prepare how kernels run, where it is fused */
export const cpuBackend = (isFused: boolean, prepare: Prepare = prepareKernel): Backend =>
  isFused
    ? open('cpu', (plan, arena) => fused(plan, arena, prepare))
    : interpretedBackend(({ program }, inputs) => interpret(program, inputs))
