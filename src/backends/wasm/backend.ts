/**
 * The wasm backend: kernels become WebAssembly at run time. Plans, buffers and the memory are those of every backend; a kernel without
 * code here runs as cpu's does, over the same memory.
 */
import { at } from '../../prelude/array.ts'
import { viewAs, type TypedArray } from '../../graph/dtype.ts'
import type { Plan } from '../../compiler/plan.ts'
import type { Backend, Executable } from '../backend.ts'
import { prepareKernel } from '../cpu/run.ts'
import { encode, type Function } from './assembler/module.ts'
import { generate } from './generate.ts'
import { javascriptFunctions, javascriptImports } from './javascript.ts'
import type { Machine, Parameter, Phase } from './kernelCode.ts'
import { maximumPages, openHeap, type Heap, type WasmMemory } from './memory.ts'

type Code = (block: number, first: number, last: number) => void

/** Compiled functions by structure, shared by all plans of a device. */
type Library = Map<string, Code>

const compileInto = (library: Library, heap: Heap, phases: readonly Phase[]): void => {
  const fresh = new Map(phases.filter((p) => !library.has(p.key)).map((p) => [p.key, p]))
  if (fresh.size === 0) return
  const names = new Map([...fresh.keys()].map((key, i) => [key, `kernel${library.size + i}`]))
  const functions = [...fresh].map(([key, p]): Function => p.make(names.get(key) ?? ''))
  const bytes = encode({
    functions,
    imports: javascriptImports,
    memory: { initial: 16, maximum: maximumPages, shared: true },
  })
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    env: { memory: heap.memory, ...javascriptFunctions },
  })
  for (const [key, name] of names) library.set(key, exports[name] as Code)
}

/** What plans share, for only one runs at a time: temporaries, and what lies between the phases of a kernel. */
interface Shared {
  arena: WasmMemory
  scratch: WasmMemory
}

const atLeast = (heap: Heap, range: WasmMemory, bytes: number): WasmMemory => {
  if (range.bytes >= bytes) return range
  heap.release(range)
  return heap.allocate(bytes)
}

const upload = (heap: Heap, values: TypedArray): number => {
  const { address } = heap.allocate(values.byteLength)
  new Uint8Array(heap.memory.buffer).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), address)
  return address
}

/** What runs one after the other: phases as code with their place among the words, or a kernel in TypeScript. */
type Step = { readonly kernel: number } & (
  | { readonly kind: 'code'; readonly code: Code; readonly word: number; readonly units: number }
  | { readonly kind: 'typescript'; readonly run: () => void }
)

/** Where each buffer of a plan lies in this run. */
const addressesOf = (
  plan: Plan,
  shared: Shared,
  literals: ReadonlyMap<number, number>,
  inputs: readonly WasmMemory[],
  outputs: readonly WasmMemory[],
): readonly number[] =>
  plan.buffers.map(({ placement }, i) => {
    switch (placement.kind) {
      case 'argument':
        return at(inputs, placement.index).address
      case 'output':
        return at(outputs, placement.index).address
      case 'literal':
        return literals.get(i) ?? 0
      case 'temporary':
        return shared.arena.address + placement.offset
    }
  })

const executable = (
  plan: Plan,
  heap: Heap,
  library: Library,
  shared: Shared,
  machine: Machine,
): Executable<WasmMemory> => {
  const generated = plan.kernels.map((kernel) => generate(kernel, machine))
  const coded = generated.flatMap((g) => (typeof g === 'string' ? [] : [g]))
  compileInto(
    library,
    heap,
    coded.flatMap((g) => g.phases),
  )
  shared.arena = atLeast(heap, shared.arena, plan.arenaBytes)
  shared.scratch = atLeast(heap, shared.scratch, Math.max(0, ...coded.map((g) => g.scratch)))
  const literals = new Map(
    plan.buffers.flatMap(({ placement }, i) =>
      placement.kind === 'literal' ? [[i, upload(heap, placement.values)] as const] : [],
    ),
  )
  const arrays: TypedArray[] = []
  const words: Parameter[] = []
  const steps = plan.kernels.flatMap((kernel, k): readonly Step[] => {
    const code = at(generated, k)
    if (typeof code === 'string')
      return [{ kernel: k, kind: 'typescript', run: prepareKernel(kernel, (buffer) => arrays[buffer] as TypedArray) }]
    return code.phases.map(({ key, parameters, units }) => {
      const word = words.push(...parameters) - parameters.length
      return { kernel: k, kind: 'code', code: library.get(key) as Code, word, units }
    })
  })
  const tables = new Map(
    words.flatMap((w) =>
      typeof w !== 'number' && w.kind === 'table' ? [[w.values, upload(heap, w.values)] as const] : [],
    ),
  )
  const blocks = heap.allocate(4 * words.length)
  const valueOf = (w: Parameter, addresses: readonly number[]): number => {
    if (typeof w === 'number') return w
    if (w.kind === 'table') return tables.get(w.values) ?? 0
    return w.kind === 'scratch' ? shared.scratch.address + w.offset : at(addresses, w.buffer) + w.offset
  }
  const hasTypeScript = steps.some((s) => s.kind === 'typescript')
  const bind = (inputs: readonly WasmMemory[], outputs: readonly WasmMemory[]): void => {
    const addresses = addressesOf(plan, shared, literals, inputs, outputs)
    const block = new Int32Array(heap.memory.buffer, blocks.address, words.length)
    words.forEach((w, i) => (block[i] = valueOf(w, addresses)))
    if (hasTypeScript)
      plan.buffers.forEach(({ dtype, length }, i) => {
        arrays[i] = viewAs(dtype, heap.memory.buffer as ArrayBuffer, at(addresses, i), length)
      })
  }
  const perform = (step: Step): void => {
    if (step.kind === 'code') step.code(blocks.address + 4 * step.word, 0, step.units)
    else step.run()
  }
  return {
    run: (inputs, outputs) => {
      bind(inputs, outputs)
      for (const step of steps) perform(step)
    },
    profile: async (inputs, outputs) => {
      bind(inputs, outputs)
      const milliseconds = plan.kernels.map(() => 0)
      for (const step of steps) {
        const start = performance.now()
        perform(step)
        milliseconds[step.kernel] = at(milliseconds, step.kernel) + performance.now() - start
      }
      return Promise.resolve(milliseconds)
    },
  }
}

/** Opens the wasm backend. */
export const wasmBackend = (): Backend => {
  const heap = openHeap(true)
  const library: Library = new Map()
  const shared: Shared = { arena: heap.allocate(0), scratch: heap.allocate(0) }
  const machine: Machine = { fma: false, wide: false }
  const bytesAt = ({ address, bytes }: WasmMemory): Uint8Array => new Uint8Array(heap.memory.buffer, address, bytes)
  const backend: Backend<WasmMemory> = {
    name: 'wasm',
    allocate: (bytes) => heap.allocate(bytes),
    release: (memory) => {
      heap.release(memory)
    },
    write: (memory, values) => {
      bytesAt(memory).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    },
    read: (memory) => Promise.resolve(bytesAt(memory).slice()),
    prepare: (plan) => executable(plan, heap, library, shared, machine),
    close: () => {
      library.clear()
    },
  }
  return backend as unknown as Backend // memory that this backend gets back is memory that it has given
}
