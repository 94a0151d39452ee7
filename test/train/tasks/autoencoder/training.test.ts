/** That an autoencoder learns. */
import { expect, it } from 'vitest'
import { dataOfSeas } from '../../../../src/data/index.ts'
import { range } from '../../../../src/prelude/array.ts'
import { openDevice } from '../../../../src/tensor/device.ts'
import { key } from '../../../../src/tensor/random.ts'
import { initialState, stepperOn, trainingOf, type Measured } from '../../../../src/train/index.ts'
import { autoencoderTask } from '../../../../src/train/tasks/autoencoder/autoencoderTask.ts'
import { autoencoderSource } from '../../../../src/train/tasks/autoencoder/source.ts'
import '../../tinyRun.ts' // its time limits
import { built, tinyAutoencoder } from './tinyAutoencoder.ts'

it('150 steps bring reconstructions a decibel nearer, to the line of the best linear code', async () => {
  const device = await openDevice('wasm')
  const config = tinyAutoencoder('unused', {
    steps: 150,
    batch: 8,
    learningRate: 4e-3,
    autoencoder: { widths: [8, 8], norm: 'none', latentChannels: 3 },
  })
  const [before, after] = await built(config, async (family): Promise<readonly [Measured, Measured]> => {
    const data = dataOfSeas({ seed: config.seed, size: 16 })
    const task = autoencoderTask(config, family)
    const source = autoencoderSource(config, family, { data, fingerprint: '', summary: '', warnings: [] })
    const recipe = { ...trainingOf(config), task }
    const stepper = stepperOn(device, recipe)
    const measure = (await source.measure?.(device)) ?? (() => Promise.resolve({}))
    let state = await device.realize(initialState(recipe, key(config.seed)))
    const begin = await measure(state.params)
    for (const step of range(config.steps))
      [state] = await stepper.run(state, (first, n) => source.examples(step * config.batch + first, n), step + 1)
    return [begin, await measure(state.params)]
  })
  const over = ({ psnr = NaN, linearPsnr = NaN }: Measured): number => psnr - linearPsnr
  expect(over(before)).toBeLessThan(-1.5) // shortcuts make a code of means, which is linear, and not the best
  expect(over(after)).toBeGreaterThan(-0.6)
  expect(after['heldOut']).toBeLessThan(0.9 * (before['heldOut'] ?? NaN))
  await device.close()
})
