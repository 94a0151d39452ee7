/**
 * The time of a kernel's phases on one thread. Units of work take some 0.1 ms; each counts with its fastest run, and a phase with the sum of
 * them: so other programs, which take the processor for milliseconds, change little.
 */
import { at } from '../src/prelude/array.ts'
import { bytesPerElement } from '../src/graph/dtype.ts'
import type { Buffer } from '../src/compiler/buffer.ts'
import { encode } from '../src/backends/wasm/assembler/module.ts'
import { javascriptFunctions, javascriptImports } from '../src/backends/wasm/emit/javascript.ts'
import { makerOf, type Generated, type Parameter, type Phase } from '../src/backends/wasm/emit/kernelCode.ts'
import { initialPages, maximumPages, openHeap } from '../src/backends/wasm/memory.ts'
import { writers } from '../src/backends/wasm/whole.ts'

type Code = (block: number, first: number, last: number) => void

const heap = openHeap(false)
const library = new Map<string, Code>()

const codeOf = (phase: Phase): Code => {
  const { key } = phase
  const known = library.get(key)
  if (known !== undefined) return known
  const make = makerOf(phase, writers)
  if (make === undefined) throw new Error(`nothing writes ${key}`)
  const memory = { initial: initialPages, maximum: maximumPages, shared: false }
  const bytes = encode({ functions: [make('phase')], imports: javascriptImports, memory })
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    env: { memory: heap.memory, ...javascriptFunctions },
  })
  const code = exports['phase'] as Code
  library.set(key, code)
  return code
}

/** Milliseconds of each phase, over buffers of numbers between −1 and 1 (bytes: 0 and 1), in at least `least` milliseconds of runs. */
export const timePhases = (
  { phases, scratch }: Generated,
  buffers: readonly Pick<Buffer, 'dtype' | 'length'>[],
  least = 200,
): readonly number[] => {
  const ranges = buffers.map(({ dtype, length }) => heap.allocate(bytesPerElement[dtype] * length))
  ranges.forEach(({ address }, k) => {
    const { dtype, length } = at(buffers, k)
    const bytes = new Uint8Array(heap.memory.buffer, address, bytesPerElement[dtype] * length)
    if (bytesPerElement[dtype] === 1) bytes.forEach((_, i) => (bytes[i] = i & 1))
    else new Float32Array(heap.memory.buffer, address, bytes.length >> 2).forEach((_, i, x) => (x[i] = Math.sin(i)))
  })
  const shared = heap.allocate(scratch)
  const upload = (values: Int32Array | Float32Array): number => {
    const { address } = heap.allocate(values.byteLength)
    new Uint8Array(heap.memory.buffer).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), address)
    return address
  }
  const wordOf = (p: Parameter): number => {
    if (typeof p === 'number') return p
    if (p.kind === 'table') return upload(p.values)
    if (p.kind === 'block' || p.kind === 'function') throw new Error('a phase that calls others is not timed alone')
    return p.kind === 'scratch' ? shared.address + p.offset : at(ranges, p.buffer).address + p.offset
  }
  const blocks = phases.map((p) => upload(Int32Array.from(p.parameters.map(wordOf))))
  const best = phases.map(({ units }) => new Float64Array(Math.min(units, 64)).fill(Infinity))
  const end = performance.now() + least
  for (let round = 0; round < 4 || performance.now() < end; round++)
    phases.forEach((phase, i) => {
      const [code, times, block] = [codeOf(phase), at(best, i), at(blocks, i)]
      const edge = (k: number): number => Math.floor((k * phase.units) / times.length)
      for (let k = 0; k < times.length; k++) {
        const start = performance.now()
        code(block, edge(k), edge(k + 1))
        times[k] = Math.min(times[k] as number, performance.now() - start)
      }
    })
  for (const range of [...ranges, shared]) heap.release(range)
  return best.map((times) => times.reduce((a, b) => a + b, 0))
}
