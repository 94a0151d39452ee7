/** Dynamic thresholding: what becomes of an estimate. */
import { describe, expect, it } from 'vitest'
import { clipEstimate } from '../../src/diffusion/prediction.ts'
import { flowLevels } from '../../src/diffusion/levels.ts'
import { sampling } from '../../src/diffusion/sample.ts'
import { ddimBetween } from '../../src/diffusion/samplers/posterior.ts'
import { thresholdEstimate, type ThresholdOptions } from '../../src/diffusion/threshold.ts'
import { constant, scalar, tensor } from '../../src/tensor/create.ts'
import { key, normal } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../support/device.ts'

const level = { signal: scalar(0.8, 'f64'), noise: scalar(0.6, 'f64') }

describe('thresholdEstimate', () => {
  it('scales a picture that is out of range back, and leaves one within it alone', async () => {
    const x0 = tensor(
      [
        [0.5, -0.25],
        [1, -4],
      ],
      { dtype: 'f64' },
    )
    const found = thresholdEstimate(level, x0, { x0, epsilon: x0 }, { ratio: 1, most: 10 })
    expect(await values(found.x0)).toEqual([0.5, -0.25, 0.25, -1])
  })

  it('derives the noise again, so that both still make up x', async () => {
    const [x, raw] = [normal(key(1), [2, 8], 'f64'), normal(key(2), [2, 8], 'f64').mul(3)]
    const { x0, epsilon } = thresholdEstimate(level, x, { x0: raw, epsilon: x }, { ratio: 0.9, most: 2 })
    const again = await values(x0.mul(0.8).add(epsilon.mul(0.6)))
    const wanted = await values(x)
    again.forEach((value, i) => expect(value).toBeCloseTo(wanted[i] ?? NaN, 12))
  })

  it('is clipping where nothing is scaled back, and where that is below 1 a smaller range', async () => {
    const [x, raw] = [normal(key(3), [2, 6], 'f64'), normal(key(4), [2, 6], 'f64').mul(2)]
    const estimate = { x0: raw, epsilon: x }
    expect(await values(thresholdEstimate(level, x, estimate).x0)).toEqual(
      await values(clipEstimate(level, x, estimate).x0),
    )
    const half = await values(thresholdEstimate(level, x, estimate, { most: 0.5 }).x0)
    const wanted = (await values(raw)).map((v) => Math.max(-0.5, Math.min(0.5, v)) / 0.5)
    half.forEach((value, i) => expect(value).toBeCloseTo(wanted[i] ?? NaN, 12))
  })
})

describe('sampling', () => {
  it('scales what the network sees back into [−1, 1] where it is told how, and clips it or leaves it alone otherwise', async () => {
    const seen = constant([[0.5, 4]])
    const options = {
      device: cpuDevice(),
      denoise: (_: object, x: Tensor): Tensor => seen.broadcastTo(x.shape),
      prediction: 'x0' as const,
      sampler: ddimBetween(flowLevels(3)),
      shape: [1, 2],
    }
    const drawn = async (clip: boolean | ThresholdOptions): Promise<number[]> =>
      values((await sampling({ ...options, clip })({}, key(0))).x, options.device)
    expect(await drawn(false)).toEqual([0.5, 4])
    expect(await drawn(true)).toEqual([0.5, 1])
    expect(await drawn({ ratio: 1, most: 4 })).toEqual([0.125, 1])
  })
})
