/** Code of single kernels on arrays: phases run with their units in any order, as threads would take them. */
import { at, range } from '../../src/prelude/array.ts'
import type { Kernel } from '../../src/compiler/kernel.ts'
import { prepareKernel } from '../../src/backends/cpu/run.ts'
import { encode } from '../../src/backends/wasm/assembler/module.ts'
import { javascriptFunctions, javascriptImports } from '../../src/backends/wasm/emit/javascript.ts'
import { makerOf, type Generated, type Parameter, type Phase } from '../../src/backends/wasm/emit/kernelCode.ts'
import { initialPages, maximumPages, openHeap } from '../../src/backends/wasm/memory.ts'
import { writers } from '../../src/backends/wasm/whole.ts'

type Code = (block: number, first: number, last: number) => void

const heap = openHeap(false)
const library = new Map<string, Code>()

/** Functions that phases call, by their places in the order of the library. */
const functions = new WebAssembly.Table({ element: 'anyfunc', initial: 1024 })

const indexOf = (key: string): number => [...library.keys()].indexOf(key)

const codeOf = (phase: Phase): Code => {
  const { key, calls } = phase
  calls.forEach(codeOf) // others than those of a phase with the same key, maybe
  const known = library.get(key)
  if (known !== undefined) return known
  const make = makerOf(phase, writers)
  if (make === undefined) throw new Error(`nothing writes ${key}`)
  const memory = { initial: initialPages, maximum: maximumPages, shared: false }
  const bytes = encode({ functions: [make('phase')], imports: javascriptImports, table: true, memory })
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    env: { memory: heap.memory, table: functions, ...javascriptFunctions },
  })
  const code = exports['phase'] as Code
  library.set(key, code)
  functions.set(indexOf(key), code)
  return code
}

/** In which order units run: all in one call, or one by one from the last to the first. */
export type UnitOrder = 'together' | 'backwards'

const runUnits = (code: Code, block: number, units: number, order: UnitOrder): void => {
  if (order === 'together') code(block, 0, units)
  else for (const u of range(units).toReversed()) code(block, u, u + 1)
}

/**
 * Runs the phases over copies of the buffers; what the kernel's output then holds. Scratch memory and the output begin as what is no
 * number, and `reached` says whether numbers beside the output were written.
 */
export const runPhases = (
  { phases, scratch }: Generated,
  buffers: readonly Float32Array[],
  output: number,
  order: UnitOrder = 'together',
): { readonly values: Float32Array; readonly reached: boolean } => {
  const gap = 64 // padding of every buffer: vectors may reach into it
  const ranges = buffers.map((b) => heap.allocate(4 * (Math.ceil(b.length / gap) + 1) * gap))
  const tables: { readonly bytes: number; readonly address: number }[] = []
  const shared = heap.allocate(scratch)
  const reserve = (bytes: number): number => {
    const range = heap.allocate(bytes)
    tables.push(range)
    return range.address
  }
  const floats = (address: number, length: number): Float32Array =>
    new Float32Array(heap.memory.buffer, address, length)
  const wordOf = (p: Parameter): number => {
    if (typeof p === 'number') return p
    if (p.kind === 'buffer') return at(ranges, p.buffer).address + p.offset
    if (p.kind === 'scratch') return shared.address + p.offset
    if (p.kind === 'function') return indexOf(p.key)
    if (p.kind === 'block') return blockOf(p.words)
    const address = reserve(p.values.byteLength)
    new Uint8Array(heap.memory.buffer).set(
      new Uint8Array(p.values.buffer, p.values.byteOffset, p.values.byteLength),
      address,
    )
    return address
  }
  const blockOf = (parameters: readonly Parameter[]): number => {
    const words = Int32Array.from(parameters.map(wordOf))
    const block = reserve(words.byteLength)
    new Int32Array(heap.memory.buffer, block, words.length).set(words)
    return block
  }
  phases.forEach(codeOf) // what they call has its place before their words are written
  const blocks = phases.map(({ parameters }) => blockOf(parameters))
  floats(shared.address, scratch >> 2).fill(NaN)
  buffers.forEach((b, i) => {
    const { address, bytes } = at(ranges, i)
    floats(address, bytes >> 2).fill(NaN)
    if (i !== output) floats(address, b.length).set(b)
  })
  phases.forEach((phase, i) => {
    runUnits(codeOf(phase), at(blocks, i), phase.units, order)
  })
  const { address, bytes } = at(ranges, output)
  const length = at(buffers, output).length
  const whole = floats(address, bytes >> 2)
  const values = whole.slice(0, length)
  const reached = whole.slice(length).some((x) => !Number.isNaN(x))
  for (const range of [...ranges, ...tables, shared]) heap.release(range)
  return { values, reached }
}

/** What cpu makes of the kernel: one of the buffers that it writes. */
export const runOnCpu = (kernel: Kernel, buffers: readonly Float32Array[], output = kernel.output): Float32Array => {
  const arrays = buffers.map((b) => b.slice())
  prepareKernel(kernel, (buffer) => at(arrays, buffer))()
  return at(arrays, output)
}

/** The largest difference of two results, each as a share of the sum of its terms' magnitudes. */
export const worstShare = (found: Float32Array, expected: Float32Array, magnitudes: Float32Array): number =>
  found.reduce((worst, x, i) => {
    const share = Math.abs(x - (expected[i] as number)) / ((magnitudes[i] as number) + 1e-30)
    return Number.isNaN(share) ? Infinity : Math.max(worst, share)
  }, 0)
