/**
 * The wasm backend: kernels become WebAssembly at run time, and several threads run them. Plans, buffers and the memory are those of every
 * backend.
 */
import { E } from '../../prelude/fp.ts'
import { memoryOf } from '../../compiler/cost.ts'
import type { Plan } from '../../compiler/plan.ts'
import { allDTypes } from '../../compiler/dtypes.ts'
import { usualLimits } from '../../compiler/limits.ts'
import type { Backend, Choices } from '../backend.ts'
import type { WasmOptions } from '../options.ts'
import { generateAll } from './once.ts'
import { phasesOf, type Generated, type Machine, type Phase } from './emit/kernelCode.ts'
import { openLibrary, type Library, type WritersSource } from './library.ts'
import { capabilities, checkWinograd, choose, machineOf, requireVectors, whyNot } from './machine.ts'
import { maximumBytes, openHeap, type Heap, type WasmMemory } from './memory.ts'
import { findPlatform } from './threads/platform.ts'
import { alone, openPool, type Pool, type Sharing } from './threads/pool.ts'
import { bytesNeeded, makeProgram, noMemory, type Shared } from './program.ts'
import { showFunction } from './assembler/text.ts'
import { threadCount } from './threads/threadCount.ts'
import type { Platform } from './threads/threads.ts'

export { requireVectors } from './machine.ts'

/** How to open the backend. */
export interface WasmSetup extends WasmOptions {
  /** Choices that another run made: with them it gives the same bits. */
  readonly choices?: Choices
  /** Opens the backend that kernels are tried against when flags are set; without it they are not tried. */
  readonly trusted?: () => Promise<Backend>
  /** What writes kernels that few programs have, or what loads it. */
  readonly writers: WritersSource
  /** Which phases threads share; `worthwhile` unless a test wants more. */
  readonly sharing?: Sharing
}

/** Choices that were tried, and what people should know of how the device was opened. */
interface Tried {
  readonly machine: Machine
  readonly notes: readonly string[]
}

const describe = ({ threads }: Pool, { machine: { fma, wide }, notes }: Tried): string =>
  [
    'wasm',
    `${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    `${wide ? 256 : 128}-bit vectors${fma ? ' with fused multiply-add' : ''}`,
    ...notes,
  ].join(' · ')

/** A backend over a memory and the threads that share it. */
const backendOver = (
  heap: Heap,
  pool: Pool,
  tried: Tried,
  { writers, sharing = 'worthwhile' }: Pick<WasmSetup, 'writers' | 'sharing'>,
): Backend => {
  const { machine } = tried
  const library = openLibrary(pool, heap.shared, writers)
  const shared: Shared = { arena: noMemory, scratch: noMemory }
  const known = new WeakMap<Plan, readonly Generated[]>() // a plan is measured before it is prepared, and both need its code
  const codeOf = (plan: Plan): readonly Generated[] => {
    const generated = known.get(plan) ?? generateAll(plan.kernels, machine)
    known.set(plan, generated)
    return generated
  }
  const bytesAt = ({ address, bytes }: WasmMemory): Uint8Array => new Uint8Array(heap.memory.buffer, address, bytes)
  const backend: Backend<WasmMemory> = {
    name: 'wasm',
    description: describe(pool, tried),
    threads: pool.threads,
    memoryLimit: maximumBytes,
    limits: usualLimits,
    dtypes: allDTypes,
    choices: { ...machine },
    bytesNeeded: (plan) => {
      const own = memoryOf(plan)
      // Code for what is far too large would have tables that are too large themselves.
      return own > maximumBytes ? own : bytesNeeded(plan, codeOf(plan))
    },
    allocate: (bytes) => heap.allocate(bytes),
    release: (memory) => {
      heap.release(memory)
    },
    write: (memory, values) => {
      bytesAt(memory).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    },
    read: (memory) => Promise.resolve(bytesAt(memory).slice()),
    prepare: (plan) => {
      const generated = codeOf(plan)
      const ready = library.add(phasesOf(generated))
      return {
        ...makeProgram({ plan, generated, functionOf: library.indexOf, sharing }, heap, pool, shared),
        ...(ready === undefined ? {} : { ready }),
        choices: generated.map(({ choices = {} }) => choices),
        source: () =>
          generated.map((code) =>
            phasesOf([code])
              .map((p) => showPhase(library, p))
              .join('\n\n'),
          ),
      }
    },
    close: () => pool.close(),
  }
  return backend as unknown as Backend // memory that this backend gets back is memory that it has given
}

/** A phase's function as text, with what it stands for. */
const showPhase = (library: Library, phase: Phase): string =>
  [
    `;; ${phase.key}, ${phase.units} units\n${showFunction(library.functionOf(phase, 'kernel'))}`,
    ...phase.calls.map((called) => showPhase(library, called)),
  ].join('\n\n')

/** Opens the wasm backend on the caller's thread alone, for code that every engine with vectors runs unless told otherwise. */
export const wasmBackend = (writers: WritersSource, machine: Machine = { fma: false, wide: false }): Backend => {
  const heap = openHeap(false)
  return backendOver(heap, alone(heap), { machine, notes: [] }, { writers })
}

const wantedMachine = (choices: Choices): Machine => {
  const machine = machineOf(choices)
  if (E.isLeft(machine)) throw new Error(`wasm: ${machine.left}`)
  return machine.right
}

/** Sets flags, if that is asked for, and takes them back if kernels then compute something else than cpu. */
const tryMachine = async (
  { v8Flags = false, choices, trusted, winograd, writers }: WasmSetup,
  { flags }: Platform,
): Promise<Tried> => {
  checkWinograd(winograd)
  const wanted = choices === undefined ? undefined : wantedMachine(choices)
  const set = v8Flags ? flags.set() : flags.given()
  const found = capabilities()
  requireVectors(found)
  const why = wanted === undefined ? undefined : whyNot(wanted, found)
  if (why !== undefined) throw new Error(`wasm: ${why}`)
  const machine = wanted ?? choose(found, set, winograd)
  // Whoever leaves the flags alone is told what they would give (gemmTile.ts: 115 GFLOP/s a core against 55).
  const isFaster = !v8Flags && wanted === undefined && found.fma && flags.left().wide
  if (isFaster) return { machine, notes: ['up to twice as fast with { v8Flags: true }'] }
  if (!v8Flags || trusted === undefined || flags.test === undefined) return { machine, notes: [] }
  const [reference, { disagreements }] = await Promise.all([trusted(), flags.test()])
  const wrong = await disagreements(wasmBackend(writers, machine), reference)
  if (wrong.length === 0) return { machine, notes: [] }
  flags.clear()
  const plain = wanted ?? choose(capabilities(), flags.given(), winograd)
  const still = await disagreements(wasmBackend(writers, plain), reference)
  if (still.length > 0) throw new Error(`wasm: on this JavaScript engine ${still.join(', ')} came out wrong`)
  return { machine: plain, notes: [`flags of V8 are off, for with them ${wrong.join(', ')} came out wrong`] }
}

/** Opens the wasm backend as the machine allows. Rejects when it cannot do what is asked for. */
export const openWasm = async (setup: WasmSetup): Promise<Backend> => {
  const platform = await findPlatform()
  const writers = platform.isServed || typeof setup.writers !== 'function' ? setup.writers : await setup.writers()
  const options = { ...setup, writers }
  const { threads, notes } = threadCount(options.threads, platform, typeof SharedArrayBuffer === 'function')
  const { machine, notes: further } = await tryMachine(options, platform)
  const heap = openHeap(threads > 1)
  const pool = threads > 1 ? await openPool(heap, platform, threads) : alone(heap)
  return backendOver(heap, pool, { machine, notes: [...notes, ...further] }, options)
}
