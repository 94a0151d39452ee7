/**
 * How fast elementwise kernels and reductions of the wasm backend are, kernel by kernel on one thread: elements and bytes a second, and the
 * bytes as a share of what a copy of the same size moves: `node scripts/node24.mjs bench/wasm-elementwise.ts [--plain] [word of a name]`;
 * `--plain` leaves V8's flags alone. First runs of V8's quick code are left out by --no-liftoff.
 */
import process from 'node:process'
import { setFlagsFromString } from 'node:v8'

import { product } from '../src/prelude/array.ts'
import type { Shape } from '../src/graph/shape.ts'
import { bytesOf } from '../src/compiler/cost.ts'
import { adam, applyUpdates } from '../src/optim/index.ts'
import { zeros } from '../src/tensor/create.ts'
import { deviceOn } from '../src/tensor/device.ts'
import { normal } from '../src/tensor/random.ts'
import type { Tensor } from '../src/tensor/tensor.ts'
import { cpuBackend } from '../src/backends/cpu/backend.ts'
import { generate } from '../src/backends/wasm/generate.ts'
import { capabilities } from '../src/backends/wasm/machine.ts'
import { flags } from '../src/backends/wasm/threads/v8Flags.node.ts'
import { timePhases } from './phaseTimes.ts'

const words = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const wide = !process.argv.includes('--plain') && flags.set().wide
for (const flag of ['--no-liftoff', '--no-wasm-lazy-compilation']) setFlagsFromString(flag)
const machine = { fma: capabilities().fma, wide }

/** Elements of most subjects: 2 MiB, an activation of a small network. */
const pixels = [16_384, 32] as const
const count = product(pixels)

/** GB/s that a copy reads and writes together. */
const copyRate = (): number => {
  const [from, to] = [new Float32Array(count).fill(1), new Float32Array(count)]
  const times = Array.from({ length: 200 }, () => {
    const start = performance.now()
    to.set(from)
    return performance.now() - start
  })
  return (8 * count) / Math.min(...times) / 1e6
}

const rate = copyRate()
process.stdout.write(`copy of ${count} f32: ${rate.toFixed(1)} GB/s\n`)

const cpu = deviceOn(cpuBackend(true))

/** Prints every kernel of a function's plan that computes element by element or reduces. */
const report = (name: string, shapes: readonly Shape[], f: (...xs: Tensor[]) => unknown): void => {
  if (words.length > 0 && !words.some((word) => name.includes(word))) return
  const plan = cpu.compile(f).plan(...shapes.map((s) => zeros(s)))
  for (const kernel of plan.kernels) {
    if (kernel.kind !== 'elementwise' && kernel.kind !== 'reduce') continue
    const code = generate(kernel, machine)
    const times = timePhases(code, plan.buffers)
    const total = times.reduce((a, b) => a + b, 0)
    const bytes = bytesOf(plan, kernel) / total / 1e6
    const columns = [
      name.padEnd(40),
      `${(1000 * total).toFixed(0)} µs`.padStart(9),
      `${(kernel.body.size / total / 1e6).toFixed(2)} Gelem/s`.padStart(15),
      `${bytes.toFixed(1)} GB/s`.padStart(12),
      `${((100 * bytes) / rate).toFixed(0)} %`.padStart(7),
      `   ${kernel.kind === 'reduce' ? kernel.operation : 'elementwise'}, phases ${times.length}`,
    ]
    process.stdout.write(`${columns.join('')}\n`)
  }
}

const flat = [count] as const
report('scale', [flat], (x) => x.mul(2))
report('sum of two', [flat, flat], (x, y) => x.add(y))
report('exp', [flat], (x) => x.exp())
report('silu', [flat], (x) => x.mul(x.sigmoid()))
report('tanh', [flat], (x) => x.tanh())
report('erf', [flat], (x) => x.erf())
report('log', [flat], (x) => x.square().add(1).log())
report('bias', [pixels, [32]], (x, b) => x.add(b))
report('x > 0 of two', [flat, flat], (x, y) => x.greater(0).select(y, x))
report('transpose 512×1024', [[512, 1024]], (x) => x.transpose().mul(2))
report('transpose 64×[32, 256]', [[64, 32, 256]], (x) => x.transpose([0, 2, 1]).mul(2))
report('heads [16, 256, 4, 32] → [16, 4, 256, 32]', [[16, 256, 4, 32]], (x) => x.transpose([0, 2, 1, 3]).mul(2))
report('pixels 2×2 to channels', [[8, 32, 2, 32, 2, 16]], (x) => x.transpose([0, 1, 3, 5, 2, 4]).mul(2))
report('sum to a number', [flat], (x) => x.square().sum())
report('sum of rows of 32', [pixels], (x) => x.square().sum(1))
report('sum of rows of 4096', [[128, 4096]], (x) => x.square().sum(1))
report('sum of columns, 32', [pixels], (x) => x.square().sum(0))
report('sum of columns, 512', [[1024, 512]], (x) => x.square().sum(0))
report('sum of columns, 3', [[174_762, 3]], (x) => x.square().sum(0))
report('maximum of rows of 32', [pixels], (x) => x.max(1))
report('maximum of columns, 32', [pixels], (x) => x.max(0))
report('softmax of rows of 32', [pixels], (x) => {
  const e = x.sub(x.max(1, true)).exp()
  return e.div(e.sum(1, true))
})
report('normal numbers', [], () => normal(zeros([2], 'u32'), [count]))
report('adam', [flat, flat, flat, flat, [], [], []], (...given) => {
  const [w, g, mean, variance, meanCorrection, varianceCorrection, learningRate] = given as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ]
  const state = { mean: { w: mean }, variance: { w: variance }, meanCorrection, varianceCorrection }
  const [updates, next] = adam().update({ w: g }, state, { w }, { learningRate })
  return [applyUpdates({ w }, updates), next]
})
