/** Whether an autoencoder is worth the name. */
import { expect, it } from 'vitest'
import { dataOfSeas } from '../../../../src/data/index.ts'
import type { Tensor } from '../../../../src/index.ts'
import { keepsLess } from '../../../../src/train/tasks/autoencoder/keepsLess.ts'
import { cpuDevice } from '../../../support/device.ts'

const normalised = (bytes: Tensor): Tensor => bytes.cast('f32').div(127.5).sub(1)

/** What decodes pictures that were not encoded at all, changed by a function. */
const through = (change: (picture: Tensor) => Tensor): Parameters<typeof keepsLess>[2] => ({
  factor: 4,
  latentChannels: 4,
  encoderOn: () => async (pictures) => pictures,
  decoderOn: () => async (latents) => change(normalised(latents)),
})

const data = { ...dataOfSeas({ seed: 1, size: 16 }), count: 32 }

it('says nothing of one that keeps all, or more than a linear code', async () => {
  expect(
    await keepsLess(
      cpuDevice(),
      data,
      through((x) => x),
    ),
  ).toBeUndefined()
  expect(
    await keepsLess(
      cpuDevice(),
      data,
      through((x) => x.add(0.02)),
    ),
  ).toBeUndefined()
})

it('says how much less than a linear code is kept, of the first held-out pictures', async () => {
  const grey = await keepsLess(
    cpuDevice(),
    data,
    through((x) => x.mul(0)),
  )
  expect(grey).toMatch(/keeps less of these pictures \([0-9]{1,2}\.[0-9] dB on 16 held out\).*\(2[0-9]\.[0-9] dB\)/u)
})

it('one that makes numbers of nothing is no better', async () => {
  const broken = await keepsLess(
    cpuDevice(),
    data,
    through((x) => x.mul(NaN)),
  )
  expect(broken).toMatch(/keeps less/u)
})
