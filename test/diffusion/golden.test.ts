/**
 * The training loss against lucidrains' `GaussianDiffusion` (2.3.1, torch 1.13): every objective, schedule and min-SNR
 * setting.
 */
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { diffusionLoss } from '../../src/diffusion/loss.ts'
import type { Prediction } from '../../src/diffusion/prediction.ts'
import { cosineSchedule, linearSchedule, sigmoidSchedule, type Schedule } from '../../src/diffusion/index.ts'
import { lucidrainsWeights } from '../../src/models/lucidrains/weights.ts'
import { unet, type UnetParams } from '../../src/models/lucidrains/unet.ts'
import { stack } from '../../src/tensor/combine.ts'
import { key } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { goldenTensors, nhwc, right } from '../models/golden.ts'
import { cpuDevice, values } from '../support/device.ts'

interface Row {
  readonly objective: 'pred_noise' | 'pred_x0' | 'pred_v'
  readonly schedule: 'linear' | 'cosine' | 'sigmoid'
  readonly min_snr: boolean
  readonly loss: number
}

const predictions: { readonly [O in Row['objective']]: Prediction } = {
  pred_noise: 'epsilon',
  pred_x0: 'x0',
  pred_v: 'v',
}
const schedules: { readonly [S in Row['schedule']]: Schedule } = {
  linear: linearSchedule(1000),
  cosine: cosineSchedule(1000),
  sigmoid: sigmoidSchedule(1000),
}

const rows = JSON.parse(
  await readFile(new URL('../golden/lucidrains-unet/losses.json', import.meta.url), 'utf8'),
) as readonly Row[]
const io = await goldenTensors('lucidrains-unet/io.safetensors')
const model = unet({ width: 16, multipliers: [1, 2, 4] })
const weights = right(lucidrainsWeights(model.init(key(0)), await goldenTensors('lucidrains-unet/weights.safetensors')))

interface Batch {
  readonly images: Tensor
  readonly times: Tensor
  readonly noise: Tensor
}

const batch: Batch = {
  images: nhwc(io.get('loss_images')),
  times: nhwc(io.get('loss_times')),
  noise: nhwc(io.get('loss_noise')),
}

describe('diffusionLoss, golden', () => {
  it.each(['linear', 'cosine', 'sigmoid'] as const)(
    '%s: all objectives with and without min-SNR give the loss of the reference to 1e-5',
    async (name) => {
      const device = cpuDevice()
      const wanted = rows.filter((row) => row.schedule === name)
      expect(wanted).toHaveLength(6)
      // The six share x_t, so that the network runs once.
      const losses = device.compile((params: UnetParams, { images, times, noise }: Batch) =>
        stack(
          wanted.map(({ objective, min_snr: bounded }) => {
            const loss = diffusionLoss({
              schedule: schedules[name],
              prediction: predictions[objective],
              ...(bounded ? { minSnrGamma: 5 } : {}),
            })
            return loss((x, t) => model.apply(params, { x, t }), images.mul(2).sub(1), times.cast('i32'), noise)
          }),
        ),
      )
      const found = await values(await losses(weights, batch), device)
      const errors = wanted.map((row, i) => Math.abs((found[i] ?? NaN) / row.loss - 1))
      for (const error of errors) expect(error).toBeLessThan(1e-5)
    },
  )
})
