/**
 * How fast the contractions of the wasm backend are, kernel by kernel on one thread, as shares of the multiply-adds that this machine
 * reaches at best: `node scripts/node24.mjs bench/wasm-gemm.ts [--plain] [word of a name]`; `--plain` leaves V8's flags alone.
 *
 * 3×3 convolutions are computed as sums and by Winograd's algorithms, whose speed counts the products of the sums; a star marks the algorithm
 * that is worth its transforms by the backend's own judgement. Errors are against sums in f64, of normal numbers, as shares of the results'
 * root mean square. First runs of V8's quick code are left out by --no-liftoff.
 */
import process from 'node:process'
import { setFlagsFromString } from 'node:v8'

import { at } from '../src/prelude/array.ts'
import type { Shape } from '../src/graph/shape.ts'
import { conv2d } from '../src/tensor/convolution.ts'
import { zeros } from '../src/tensor/create.ts'
import { vjp } from '../src/autograd/index.ts'
import type { Tensor } from '../src/tensor/tensor.ts'
import type { ConvKernel, Kernel } from '../src/compiler/kernel.ts'
import { deviceOn } from '../src/tensor/device.ts'
import { cpuBackend } from '../src/backends/cpu/backend.ts'
import { generate } from '../src/backends/wasm/generate.ts'
import { E } from '../src/prelude/fp.ts'
import type { Generated } from '../src/backends/wasm/emit/kernelCode.ts'
import { capabilities } from '../src/backends/wasm/machine.ts'
import { flopsOfTurn, peakModule, peakPages } from '../src/backends/wasm/peak.ts'
import { flags } from '../src/backends/wasm/threads/v8Flags.node.ts'
import { winogradWith } from '../src/backends/wasm/conv/winograd.ts'
import { winograds } from '../src/compiler/contraction/winograd.ts'
import { runOnCpu, runPhases } from '../test/support/phases.ts'
import { timePhases } from './phaseTimes.ts'

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

const peak = measurePeak()
process.stdout.write(`${wide ? '256' : '128'}-bit multiply-add: ${peak.toFixed(1)} GFLOP/s\n`)

const cpu = deviceOn(cpuBackend(true))

/** Numbers from a nearly normal distribution, the same each time: sums of four uniform ones. */
const normals = (length: number, seed: number): Float32Array => {
  let state = seed
  const uniform = (): number => (state = (Math.imul(state, 1664525) + 1013904223) | 0) / 2 ** 31
  return Float32Array.from({ length }, () => Math.sqrt(3 / 4) * (uniform() + uniform() + uniform() + uniform()))
}

/** The largest error of a kernel's code and its root mean square. */
const errorsOf = (code: Generated, kernel: ConvKernel, buffers: readonly Float32Array[]): readonly [number, number] => {
  const truth = runOnCpu(kernel, buffers)
  const errors = runPhases(code, buffers, kernel.output).values.map((y, i) => y - (truth[i] as number))
  const square = (x: Float32Array): number => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length)
  return [errors.reduce((most, e) => Math.max(most, Math.abs(e)), 0) / square(truth), square(errors) / square(truth)]
}

/** Ways to compute a kernel: its sums, and Winograd's algorithms where there are some. */
const waysOf = (kernel: Kernel): readonly (readonly [way: string, code: Generated])[] => [
  ['', generate(kernel, machine)],
  ...Object.values(winograds).flatMap((w) => {
    const code = kernel.kind === 'conv' ? winogradWith(kernel, machine, w.outputs, true) : undefined
    if (kernel.kind !== 'conv' || code === undefined || E.isLeft(code)) return []
    const star = winogradWith(kernel, machine, w.outputs) === undefined ? ' ' : '*'
    return [[`F(${w.outputs}×${w.outputs})${star}`, code.right] as const]
  }),
]

/** Prints every contraction of a function's plan. */
const report = (name: string, shapes: readonly Shape[], f: (...xs: Tensor[]) => unknown): void => {
  if (words.length > 0 && !words.some((word) => name.includes(word))) return
  const { kernels, buffers } = cpu.compile(f).plan(...shapes.map((s) => zeros(s)))
  const contents = buffers.map(({ length }, i) => normals(length, i + 1))
  for (const kernel of kernels.filter((k) => k.kind === 'gemm' || k.kind === 'conv'))
    for (const [way, code] of waysOf(kernel)) {
      const times = timePhases(code, buffers, 300)
      const total = times.reduce((a, b) => a + b, 0)
      const speed = kernel.flops / total / 1e6
      const errors = kernel.kind === 'conv' ? errorsOf(code, kernel, contents).map((e) => e.toExponential(0)) : []
      const columns = [
        name.padEnd(46),
        way.padEnd(8),
        `${total.toFixed(2)} ms`.padStart(10),
        `${speed.toFixed(1)} GFLOP/s`.padStart(15),
        `${((100 * speed) / peak).toFixed(0)} %`.padStart(6),
        ...(errors.length === 0 ? [] : [`   errors ${errors.join(' ')}`]),
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
for (const [n, size, inputs, outputs] of [
  [16, 32, 3, 32],
  [16, 32, 8, 32],
  [16, 32, 16, 16],
  [16, 32, 32, 32],
  [16, 32, 96, 32],
  [16, 32, 32, 3],
  [16, 16, 64, 64],
  [16, 16, 192, 64],
  [16, 8, 128, 128],
  [16, 8, 256, 128],
  [4, 64, 64, 64],
  [4, 32, 128, 128],
  [4, 16, 256, 256],
  [4, 8, 512, 512],
  [1, 32, 64, 64],
] as const)
  convolution([n, size, size, inputs], outputs, 3)
convolution([16, 32, 32, 32], 32, 3, 2)
convolution([16, 16, 16, 192], 64, 1)
