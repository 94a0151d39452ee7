/**
 * How fast the contractions of the wasm backend are, kernel by kernel on one thread, as shares of the multiply-adds that this machine
 * reaches at best: `node scripts/node24.mjs bench/wasm-gemm.ts [--plain] [word of a name]`; `--plain` leaves V8's flags alone.
 *
 * Units of work take some 0.1 ms. Each counts with its fastest run, and a kernel with the sum of them: so other programs, which take the
 * processor for milliseconds, change little. First runs of V8's quick code are left out by --no-liftoff.
 */
import process from 'node:process'
import { setFlagsFromString } from 'node:v8'

import { at } from '../src/prelude/array.ts'
import type { Shape } from '../src/graph/shape.ts'
import { conv2d } from '../src/tensor/convolution.ts'
import { zeros } from '../src/tensor/create.ts'
import { vjp } from '../src/autograd/index.ts'
import type { Tensor } from '../src/tensor/tensor.ts'
import type { Kernel } from '../src/compiler/kernel.ts'
import { deviceOn } from '../src/tensor/device.ts'
import { cpuBackend } from '../src/backends/cpu/backend.ts'
import { encode } from '../src/backends/wasm/assembler/module.ts'
import { generate } from '../src/backends/wasm/generate.ts'
import { javascriptFunctions, javascriptImports } from '../src/backends/wasm/javascript.ts'
import type { Parameter, Phase } from '../src/backends/wasm/kernelCode.ts'
import { capabilities } from '../src/backends/wasm/machine.ts'
import { initialPages, maximumPages, openHeap } from '../src/backends/wasm/memory.ts'
import { flopsOfTurn, peakModule, peakPages } from '../src/backends/wasm/peak.ts'
import { flags } from '../src/backends/wasm/v8Flags.node.ts'

const words = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const wide = !process.argv.includes('--plain') && flags.set().wide
for (const flag of ['--no-liftoff', '--no-wasm-lazy-compilation']) setFlagsFromString(flag)
const machine = { fma: capabilities().fma, wide }

/** Multiply-adds that wait for nothing, in GFLOP/s. */
const measurePeak = (): number => {
  const memory = new WebAssembly.Memory({ initial: peakPages, maximum: peakPages })
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(peakModule(machine)), { env: { memory } })
  const run = exports['multiplyAdds'] as (turns: number) => void
  const turns = 20_000
  const times = Array.from({ length: 500 }, () => {
    const start = performance.now()
    run(turns)
    return performance.now() - start
  })
  return (turns * flopsOfTurn(machine)) / Math.min(...times) / 1e6
}

type Code = (block: number, first: number, last: number) => void

const heap = openHeap(false)
const library = new Map<string, Code>()

const codeOf = ({ key, make }: Phase): Code => {
  const known = library.get(key)
  if (known !== undefined) return known
  const memory = { initial: initialPages, maximum: maximumPages, shared: false }
  const bytes = encode({ functions: [make('phase')], imports: javascriptImports, memory })
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    env: { memory: heap.memory, ...javascriptFunctions },
  })
  const code = exports['phase'] as Code
  library.set(key, code)
  return code
}

/** Milliseconds of each phase: the fastest runs of its units together. */
const timePhases = (kernel: Kernel, lengths: readonly number[]): readonly number[] => {
  const { phases, scratch } = generate(kernel, machine)
  const buffers = lengths.map((length) => heap.allocate(4 * length))
  for (const { address, bytes } of buffers)
    new Float32Array(heap.memory.buffer, address, bytes >> 2).forEach((_, i, x) => (x[i] = Math.sin(i)))
  const shared = heap.allocate(scratch)
  const upload = (values: Int32Array | Float32Array): number => {
    const { address } = heap.allocate(values.byteLength)
    new Uint8Array(heap.memory.buffer).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), address)
    return address
  }
  const wordOf = (p: Parameter): number => {
    if (typeof p === 'number') return p
    if (p.kind === 'table') return upload(p.values)
    return p.kind === 'scratch' ? shared.address + p.offset : at(buffers, p.buffer).address + p.offset
  }
  const blocks = phases.map((p) => upload(Int32Array.from(p.parameters.map(wordOf))))
  const best = phases.map(({ units }) => new Float64Array(Math.min(units, 64)).fill(Infinity))
  const end = performance.now() + 300
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
  for (const range of [...buffers, shared]) heap.release(range)
  return best.map((times) => times.reduce((a, b) => a + b, 0))
}

const peak = measurePeak()
process.stdout.write(`${wide ? '256' : '128'}-bit multiply-add: ${peak.toFixed(1)} GFLOP/s\n`)

const cpu = deviceOn(cpuBackend(true))

/** Prints every contraction of a function's plan. */
const report = (name: string, shapes: readonly Shape[], f: (...xs: Tensor[]) => unknown): void => {
  if (words.length > 0 && !words.some((word) => name.includes(word))) return
  const { kernels, buffers } = cpu.compile(f).plan(...shapes.map((s) => zeros(s)))
  for (const kernel of kernels.filter((k) => k.kind === 'gemm' || k.kind === 'conv')) {
    const times = timePhases(
      kernel,
      buffers.map((b) => b.length),
    )
    const total = times.reduce((a, b) => a + b, 0)
    const speed = kernel.flops / total / 1e6
    const columns = [
      name.padEnd(46),
      `${total.toFixed(2)} ms`.padStart(10),
      `${speed.toFixed(1)} GFLOP/s`.padStart(15),
      `${((100 * speed) / peak).toFixed(0)} %`.padStart(6),
      `   phases ${times.map((t) => t.toFixed(2)).join(' ')}`,
    ]
    process.stdout.write(`${columns.join('')}\n`)
  }
}

const matrices = (...[m, k, n]: readonly [number, number, number]): void => {
  report(
    `gemm ${m}×${k}×${n}`,
    [
      [m, k],
      [k, n],
    ],
    (x, y) => x.matmul(y),
  )
}

for (const n of [256, 512, 1024]) matrices(n, n, n)
matrices(16, 128, 512)
report(
  'gemm 512×512×512 xᵀ',
  [
    [512, 512],
    [512, 512],
  ],
  (x, y) => x.transpose().matmul(y),
)
report(
  'gemm 512×512×512 yᵀ',
  [
    [512, 512],
    [512, 512],
  ],
  (x, y) => x.matmul(y.transpose()),
)
report(
  'attention 64×64×32 × 64',
  [
    [64, 64, 32],
    [64, 64, 32],
  ],
  (q, k) => q.matmul(k.transpose([0, 2, 1])),
)

/** The three passes of a convolution: gradients are functions of image, filter and cotangent, so each has one contraction. */
const convolution = (x: Shape, outputs: number, size: number, stride = 1): void => {
  const w = [size, size, at(x, 3), outputs]
  const f = (a: Tensor, b: Tensor): Tensor => conv2d(a, b, { stride, padding: size >> 1 })
  const name = `conv ${size}×${size}${stride > 1 ? `/${stride}` : ''} [${x.join()}]→${outputs}`
  const out = f(zeros(x), zeros(w)).shape
  report(`${name} forward`, [x, w], (a, b) => f(a, b))
  report(`${name} input gradient`, [x, w, out], (a, b, g) => vjp((v: Tensor) => f(v, b), a).pullback(g))
  report(`${name} filter gradient`, [x, w, out], (a, b, g) => vjp((v: Tensor) => f(a, v), b).pullback(g))
}

convolution([16, 32, 32, 64], 64, 3)
for (const [size, inputs, outputs] of [
  [32, 3, 32],
  [32, 32, 32],
  [32, 96, 32],
  [32, 32, 3],
  [16, 64, 64],
  [16, 192, 64],
  [8, 128, 128],
  [8, 256, 128],
] as const)
  convolution([16, size, size, inputs], outputs, 3)
convolution([16, 32, 32, 32], 32, 3, 2)
convolution([16, 16, 16, 192], 64, 1)
