/** How near the elementary functions come, in units in the last place of f32: the errors that docs/tensors.md prints are held here. */
import { describe, expect, it } from 'vitest'
import { wasm } from '../../proof/devices.ts'
import { tensor } from '../../src/tensor/create.ts'
import { acosh, asinh, atanh, cosh, sinh } from '../../src/tensor/hyperbolic.ts'
import { exp2, expm1, log10, log1p, log2, logSigmoid } from '../../src/tensor/logarithms.ts'
import { rsqrt } from '../../src/tensor/powers.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { acos, asin, atan, tan } from '../../src/tensor/trigonometry.ts'
import { cpuDevice } from '../support/device.ts'

interface Measured {
  readonly name: string
  readonly f: (x: Tensor) => Tensor
  /** In f64, right to far below an ulp of f32. */
  readonly exact: (x: number) => number
  readonly domain: readonly [low: number, high: number]
  readonly ulp: number
}

const functions: readonly Measured[] = [
  { name: 'log1p', f: log1p, exact: Math.log1p, domain: [-0.9999, 50], ulp: 2.8 },
  { name: 'expm1', f: expm1, exact: Math.expm1, domain: [-20, 80], ulp: 1.6 },
  { name: 'exp2', f: exp2, exact: (x) => 2 ** x, domain: [-120, 120], ulp: 1.5 },
  { name: 'log2', f: log2, exact: Math.log2, domain: [1e-9, 1e5], ulp: 1.6 },
  { name: 'log10', f: log10, exact: Math.log10, domain: [1e-9, 1e5], ulp: 1.9 },
  { name: 'logSigmoid', f: logSigmoid, exact: (x) => -Math.log1p(Math.exp(-x)), domain: [-50, 20], ulp: 2.7 },
  { name: 'tan', f: tan, exact: Math.tan, domain: [-6, 6], ulp: 1.9 },
  { name: 'atan', f: atan, exact: Math.atan, domain: [-50, 50], ulp: 1.9 },
  { name: 'asin', f: asin, exact: Math.asin, domain: [-1, 1], ulp: 3.1 },
  { name: 'acos', f: acos, exact: Math.acos, domain: [-1, 1], ulp: 2.8 },
  { name: 'sinh', f: sinh, exact: Math.sinh, domain: [-89, 89], ulp: 2.8 },
  { name: 'cosh', f: cosh, exact: Math.cosh, domain: [-89, 89], ulp: 2.8 },
  { name: 'asinh', f: asinh, exact: Math.asinh, domain: [-1e5, 1e5], ulp: 2.9 },
  { name: 'acosh', f: acosh, exact: Math.acosh, domain: [1, 1e5], ulp: 3.1 },
  { name: 'atanh', f: atanh, exact: Math.atanh, domain: [-0.9999, 0.9999], ulp: 3.3 },
  { name: 'rsqrt', f: rsqrt, exact: (x) => 1 / Math.sqrt(x), domain: [1e-9, 1e5], ulp: 1.6 },
]

/** A third evenly over the domain, the others of both signs and every size from e⁻²⁰ to e³. */
const argumentsIn = ([low, high]: Measured['domain']): Float32Array =>
  Float32Array.from({ length: 20_000 }, (_, i) => {
    const r = (i * 0.6180339887) % 1
    return i % 3 === 0 ? low + (high - low) * r : (i % 2 === 0 ? 1 : -1) * Math.exp(23 * r - 20)
  }).filter((x) => x >= low && x <= high)

const ulpOf = (y: number): number => 2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(y)))) - 23)

const devices = [
  ['cpu', cpuDevice()],
  ['wasm', wasm.open()],
] as const

describe.each(devices)('on %s', (_, device) => {
  it.each(functions)('$name is within $ulp ulp', async ({ f, exact, domain, ulp }) => {
    const x = argumentsIn(domain)
    const y = await device.read(f(tensor(x)))
    let worst = 0
    x.forEach((e, i) => {
      const truth = exact(e)
      if (truth !== 0 && Math.abs(truth) < 3.4e38)
        worst = Math.max(worst, Math.abs((y[i] ?? NaN) - truth) / ulpOf(truth))
    })
    expect(worst).toBeGreaterThan(0)
    expect(worst).toBeLessThanOrEqual(ulp)
  })
})
