/** The bits of ddim and ddpm: digests of whole trajectories, which no change of the code around them may change. */
import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { ddim } from '../../src/diffusion/samplers/ddim.ts'
import { ddpm } from '../../src/diffusion/samplers/ddpm.ts'
import type { Prediction } from '../../src/diffusion/prediction.ts'
import { sampling } from '../../src/diffusion/sample.ts'
import type { Sampler } from '../../src/diffusion/sampler.ts'
import { cosineSchedule, linearSchedule, type Schedule } from '../../src/diffusion/index.ts'
import { key } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../support/device.ts'

const schedules = { linear: linearSchedule(100), cosine: cosineSchedule(100) }
const samplers = {
  'ddim 10': (schedule: Schedule) => ddim(schedule, { steps: 10 }), // the only one that does not clip
  'ddim 10, eta = 0.5': (schedule: Schedule) => ddim(schedule, { steps: 10, eta: 0.5 }),
  ddpm: (schedule: Schedule) => ddpm(schedule),
  'ddpm large': (schedule: Schedule) => ddpm(schedule, { variance: 'large' }),
}
const digests: readonly (readonly [keyof typeof schedules, Prediction, keyof typeof samplers, string])[] = [
  ['linear', 'epsilon', 'ddim 10', 'a2e55717a3221220'],
  ['linear', 'epsilon', 'ddim 10, eta = 0.5', '8756e850377765ca'],
  ['linear', 'epsilon', 'ddpm', 'e021ebf9b30eb896'],
  ['linear', 'epsilon', 'ddpm large', 'a3decfc2a5deb01e'],
  ['linear', 'x0', 'ddim 10', '3eda1b2e2ea9c369'],
  ['linear', 'x0', 'ddim 10, eta = 0.5', '08805959ea4fb154'],
  ['linear', 'x0', 'ddpm', '7154c24158dca7f6'],
  ['linear', 'x0', 'ddpm large', '7fcd0b80a3606073'],
  ['linear', 'v', 'ddim 10', '01ee336ba59ba333'],
  ['linear', 'v', 'ddim 10, eta = 0.5', '16cdd52a32a678ac'],
  ['linear', 'v', 'ddpm', '7c0b1d08279839db'],
  ['linear', 'v', 'ddpm large', '9770fa1986739f06'],
  ['cosine', 'epsilon', 'ddim 10', 'f00efbb1d24ca5bc'],
  ['cosine', 'epsilon', 'ddim 10, eta = 0.5', '511e424596d0e356'],
  ['cosine', 'epsilon', 'ddpm', 'd06a7cb14b36b93b'],
  ['cosine', 'epsilon', 'ddpm large', '7f143d2df67373a3'],
  ['cosine', 'x0', 'ddim 10', '6f605f35852615ff'],
  ['cosine', 'x0', 'ddim 10, eta = 0.5', 'fc073b1ec8aa9239'],
  ['cosine', 'x0', 'ddpm', '3b0676d99d14bf8b'],
  ['cosine', 'x0', 'ddpm large', '09eab78f9d46de17'],
  ['cosine', 'v', 'ddim 10', '4604918ffeb74018'],
  ['cosine', 'v', 'ddim 10, eta = 0.5', '0844e0bdd21f25a7'],
  ['cosine', 'v', 'ddpm', '26ae21ec084476cc'],
  ['cosine', 'v', 'ddpm large', '8829e0a253f301d1'],
]

const device = cpuDevice()

/** Of every x_t and every estimate on the way from noise, and the image. */
const digestOf = async (sampler: Sampler<Tensor>, prediction: Prediction, clip: boolean): Promise<string> => {
  const denoise = (_: object, x: Tensor, t: Tensor): Tensor =>
    x
      .mul(0.3)
      .add(t.cast('f32').div(128).reshape([-1, 1]))
      .sub(0.25)
  const draw = sampling({ device, denoise, prediction, sampler, shape: [2, 3], trajectory: true, clip })
  const { x, trajectory } = await draw({}, key(7))
  const all: number[] = []
  for (const moment of trajectory) all.push(...(await values(moment.xt, device)), ...(await values(moment.x0, device)))
  all.push(...(await values(x, device)))
  return createHash('sha256').update(Float32Array.from(all)).digest('hex').slice(0, 16)
}

it.each(digests)('%s schedule, %s, %s: the same bits as ever', async (schedule, prediction, name, digest) => {
  const sampler = samplers[name](schedules[schedule])
  expect(await digestOf(sampler, prediction, name !== 'ddim 10')).toBe(digest)
})
