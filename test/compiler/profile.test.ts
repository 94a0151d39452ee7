import { describe, expect, it } from 'vitest'
import { profileRows } from '../../src/compiler/profile.ts'
import { tensor } from '../../src/tensor/create.ts'
import { conv2d } from '../../src/tensor/convolution.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../support/device.ts'

const peak = { flopsPerSecond: 1e9, bytesPerSecond: 1e9 }

describe('a profile', () => {
  it('has the time of every kernel, and together they take no longer than the run', async () => {
    const f = cpuDevice().compile((x: Tensor) => x.matmul(x).exp().sum(0))
    const { plan, milliseconds, total } = await f.profile(
      tensor([
        [1, 2],
        [3, 4],
      ]),
    )
    expect(milliseconds).toHaveLength(plan.kernels.length)
    expect(milliseconds.every((ms) => ms >= 0)).toBe(true)
    expect(milliseconds.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(total)
  })

  it('keeps arguments that the function donates', async () => {
    const device = cpuDevice()
    const x = await device.realize(tensor([1, 2]))
    const f = device.compile((x: Tensor) => x.mul(2), { donate: [0] })
    await f.profile(x)
    expect(await values(await f(x), device)).toEqual([2, 4])
  })

  it('is refused where programs run one primitive at a time', async () => {
    const f = cpuDevice({ fused: false }).compile((x: Tensor) => x.mul(2))
    await expect(f.profile(tensor([1]))).rejects.toThrow(
      "'cpu, one primitive at a time' does not run kernels one by one",
    )
  })

  it('joins kernels of the same work and puts the most expensive first', async () => {
    const square = (x: Tensor): Tensor => x.matmul(x)
    const f = cpuDevice().compile((x: Tensor) => square(square(x)).sum(0))
    const { plan } = await f.profile(
      tensor([
        [1, 2],
        [3, 4],
      ]),
    )
    const times = plan.kernels.map(({ kind }) => (kind === 'gemm' ? 2 : 1))
    const rows = profileRows({ plan, milliseconds: times, total: 10 }, peak)
    expect(rows.map(({ kind, count, milliseconds, share }) => ({ kind, count, milliseconds, share }))).toEqual([
      { kind: 'gemm', count: 2, milliseconds: 4, share: 0.4 },
      { kind: 'reduce', count: 1, milliseconds: 1, share: 0.1 },
    ])
  })

  it('tells kernels of one kind apart by their sizes', async () => {
    const f = cpuDevice().compile((x: Tensor, w: Tensor) => [
      x.matmul(x.transpose()),
      conv2d(x.reshape([1, 2, 3, 1]), w),
      x.sum(0),
      x.exp(),
    ])
    const profile = await f.profile(
      tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]),
      tensor([1, 2]).reshape([1, 1, 1, 2]),
    )
    const sizes = profileRows(profile, peak).map(({ kind, size }) => `${kind} ${size}`)
    expect(sizes.toSorted()).toEqual(['conv 1×2×3×1 ∗ 1×1×1×2', 'elementwise 6', 'gemm 2×3×2', 'reduce 6 → 3'])
  })

  it('says what bounds a kernel: its arithmetic where the machine moves its bytes sooner', async () => {
    const f = cpuDevice().compile((x: Tensor) => x.matmul(x))
    const { plan } = await f.profile(
      tensor([
        [1, 2],
        [3, 4],
      ]),
    ) // 16 FLOP, 32 bytes
    const rowOn = (bytesPerSecond: number) =>
      profileRows({ plan, milliseconds: [0.001], total: 0.001 }, { flopsPerSecond: 32e6, bytesPerSecond })[0]
    expect(rowOn(1e9)).toMatchObject({ bound: 'arithmetic', intensity: 0.5, ofRoof: 0.5 })
    expect(rowOn(32e6)).toMatchObject({ bound: 'memory', ofRoof: 1 })
  })
})
