/** Real powers: values and derivatives, at the ends too. */
import { describe, expect, it } from 'vitest'
import { grad } from '../../src/autograd/grad.ts'
import { tensor } from '../../src/tensor/create.ts'
import { open, type Device } from '../../src/tensor/device.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice } from '../support/device.ts'

const wasm = async (): Promise<Device> => {
  const device = await open('wasm', { threads: 1 })()
  if (device._tag === 'Left') throw new Error(device.left.message)
  return device.right
}

const devices: readonly (readonly [string, () => Promise<Device>])[] = [
  ['cpu', () => Promise.resolve(cpuDevice())],
  ['cpu, one primitive at a time', () => Promise.resolve(cpuDevice({ fused: false }))],
  ['wasm', wasm],
]

const exponents = [0.5, 1.5, -0.5, 0.3, 2.5, -1.25, 7.75]
const bases = [0, -0, 1e-30, 0.3, 1, 4, 1e20, Infinity, NaN, -1, -0.5, -Infinity]

const power = (x: number, p: number): number => (x < 0 && x !== -Infinity ? NaN : x ** p)

/** Equal, or both infinite or NaN alike, or close. */
const expectClose = (actual: Iterable<number>, wanted: readonly number[], tolerance: number): void => {
  const found = Array.from(actual)
  expect(found).toHaveLength(wanted.length)
  found.forEach((x, i) => {
    const y = wanted[i] ?? 0
    if (Number.isFinite(y) && y !== 0) expect(Math.abs(x / y - 1)).toBeLessThan(tolerance)
    else expect([i, x]).toEqual([i, y])
  })
}

describe.each(devices)('xᵖ on %s', (_, open) => {
  it.each(exponents)('x^%f is Math.pow: NaN below 0, +∞ or +0 at −∞, in f64 and f32', async (p) => {
    const device = await open()
    const f64 = await device.read(tensor(bases, { dtype: 'f64' }).pow(p))
    expectClose(
      f64,
      bases.map((x) => power(x, p)),
      1e-13,
    )
    const small = [0, 0.3, 1, 4, 1e4, NaN, -1]
    const f32 = await device.read(tensor(small).pow(p))
    expectClose(
      f32,
      small.map((x) => power(Math.fround(x), p)),
      1e-5,
    )
    await device.close()
  })

  it.each(exponents)('the derivatives of x^%f are p·x^(p − 1) and p·(p − 1)·x^(p − 2), at 0 and ∞ too', async (p) => {
    const device = await open()
    const x = tensor(bases, { dtype: 'f64' })
    const slope = grad((x: Tensor) => x.pow(p).sum())
    expectClose(
      await device.read(slope(x)),
      bases.map((x) => p * power(x, p - 1)),
      1e-13,
    )
    const curvature = grad((x: Tensor) => slope(x).sum())
    expectClose(
      await device.read(curvature(x)),
      bases.map((x) => p * (p - 1) * power(x, p - 2)),
      1e-12,
    )
    await device.close()
  })

  it('f16 is computed in f32 and rounded once', async () => {
    const device = await open()
    const x = tensor([0.1, 3, 20], { dtype: 'f16' })
    expect(await device.read(x.pow(2.3))).toEqual(await device.read(x.cast('f32').pow(2.3).cast('f16')))
    await device.close()
  })
})
