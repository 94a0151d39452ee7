/** Normalisation in f16, where squares overflow at 256 and small ε are 0; and tables asked for rows that they lack. */
import { describe, expect, it } from 'vitest'
import { grad } from '../../src/autograd/index.ts'
import { embedding, groupNorm, layerNorm, normalizeGroups, normalizeVectors, rmsNorm } from '../../src/nn/index.ts'
import { deviceOn, type Device } from '../../src/tensor/device.ts'
import { wasmBackend } from '../../src/backends/wasm/whole.ts'
import { onesLike, oneHot, tensor, zerosLike } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../support/device.ts'

const devices: readonly (readonly [string, () => Device])[] = [
  ['cpu', () => cpuDevice()],
  ['wasm', () => deviceOn(wasmBackend())],
]
const half = (xs: readonly number[], shape: readonly number[]): Tensor => tensor(xs, { dtype: 'f16', shape })
const affine = (x: Tensor) => ({ weight: onesLike(x.reshape([-1])), bias: zerosLike(x.reshape([-1])) })

/** f16 rows, and what the norm makes of them. */
const norms: readonly (readonly [string, (x: Tensor) => Tensor, readonly number[], readonly number[]])[] = [
  ['normalizeVectors', normalizeVectors, [300, -400], [0.6, -0.8]],
  ['normalizeVectors of zeros', normalizeVectors, [0, 0], [0, 0]],
  ['normalizeVectors of the smallest halves', normalizeVectors, [2 ** -24, 0], [1, 0]],
  [
    'rmsNorm',
    (x) => rmsNorm(2).apply({ gain: onesLike(x.reshape([-1])) }, x),
    [300, -400],
    [0.6 * Math.SQRT2, -0.8 * Math.SQRT2],
  ],
  ['layerNorm', (x) => layerNorm(2).apply(affine(x), x), [300, -300], [1, -1]],
  ['groupNorm', (x) => groupNorm(1, 2).apply(affine(x), x), [60_000, -60_000], [1, -1]],
  ['normalizeGroups', (x) => normalizeGroups(x, 1, 1e-8), [5, 5], [0, 0]],
]

describe.each(devices)('normalisation of halves on %s', (_, open) => {
  it.each(norms)('%s is that of f32, rounded once', async (_name, norm, xs, expected) => {
    const device = open()
    const y = await device.compile((x: Tensor) => norm(x))(half(xs, [1, 2]))
    expect(y.dtype).toBe('f16')
    ;(await values(y.cast('f64'), device)).forEach((v, i) => expect(v).toBeCloseTo(expected[i] ?? NaN, 2))
    await device.close()
  })

  it('the gradient of normalizeGroups at [300, −300] is finite', async () => {
    const device = open()
    const g = grad((x: Tensor) => normalizeGroups(x, 1, 1e-5).cast('f32').slice([], [0, 1]).sum())(
      half([300, -300], [1, 2]),
    )
    for (const v of await values(g.cast('f64'), device)) expect(Math.abs(v)).toBeLessThan(1e-3)
    await device.close()
  })

  it('embedding: an index outside the table is NaN, not its neighbour, where only the device knows it', async () => {
    const device = open()
    const weight = tensor([[1], [2], [3]])
    const both = device.compile((w: Tensor, index: Tensor) => {
      const read = (table: Tensor): Tensor => embedding(3, 1).apply({ weight: table }, index)
      return [read(w), grad((table: Tensor) => read(table).sum())(w)] as const
    })
    const [rows, gradient] = await both(weight, tensor(Int32Array.of(-1, 0, 2, 3)))
    expect(await values(rows, device)).toEqual([NaN, 1, 3, NaN])
    expect(await values(gradient, device)).toEqual([1, 0, 1])
    await device.close()
  })
})

describe('labels and indices', () => {
  it('embedding refuses an index outside the table that the host knows', () => {
    const weight = tensor([[1], [2]])
    expect(() => embedding(2, 1).apply({ weight }, tensor(Int32Array.of(0, 2)))).toThrow(
      'embedding: the index 2 is outside 0 … 1',
    )
  })

  it('oneHot counts beyond 255 with bytes, and takes integers only', async () => {
    const row = await values(oneHot(tensor(Uint8Array.of(5)), 300))
    expect(row.indexOf(1)).toBe(5)
    expect(row.reduce((a, b) => a + b)).toBe(1)
    expect(() => oneHot(tensor([0.5]), 3)).toThrow('oneHot: labels are integers, got f32; cast them to i32')
  })

  it('normalizeGroups refuses groups that do not divide the channels, and a vector', () => {
    expect(() => normalizeGroups(tensor([[1, 2, 3]]), 2, 0)).toThrow(
      'normalizeGroups: 2 groups do not divide 3 channels',
    )
    expect(() => normalizeGroups(tensor([1, 2]), 2, 0)).toThrow('needs a batch and channels, [N, …, C], got [2]')
  })
})
