/** What the networks of runs are told of times, and that frequencies which are not learned are not moved by a run. */
import { describe, expect, it } from 'vitest'
import { lucidrainsNames, unet } from '../../../../src/models/index.ts'
import { modelOf, takesShares, withoutDefaults } from '../../../../src/models/registry.ts'
import { tensor } from '../../../../src/tensor/create.ts'
import { placesOf } from '../../../../src/tensor/nameMap.ts'
import { key, normal } from '../../../../src/tensor/random.ts'
import { countElements, leavesWithPaths } from '../../../../src/tensor/tree.ts'
import { diffusionTask, load, train } from '../../../../src/train/index.ts'
import { cpuDevice, values } from '../../../support/device.ts'
import { directories, done, tinyConfig, tinySettings } from '../../tinyRun.ts'

const device = cpuDevice()
const fresh = directories()
const path = 'time.embedding.frequencies'

describe('times as Fourier features', () => {
  const [learned, random] = (['learned', 'random'] as const).map((time) => ({ ...tinySettings.model, time }))

  it('are told shares of the schedule by a run: t/T', async () => {
    const config = tinyConfig('unused', { model: random ?? tinySettings.model, timesteps: 20 })
    const { model } = diffusionTask(config)
    const own = modelOf(config.model, 3)
    const params = own.init(key(0))
    const x = normal(key(1), [2, 8, 8, 3])
    const told = await values(model.apply(params, { x, t: tensor(Int32Array.of(5, 19)) }), device)
    expect(told).toEqual(await values(own.apply(params, { x, t: tensor([0.25, 0.95]) }), device))
    expect([takesShares(config.model), takesShares(tinySettings.model)]).toEqual([true, false])
  })

  it('have lucidrains’ parameters and names', () => {
    const model = unet({ width: 64, time: 'learned' })
    const params = model.init(key(0))
    // A layer of 17 → 256 in the place of 64 → 256, and 8 frequencies.
    expect(countElements(params)).toBe(35_711_491 + (17 - 64) * 256 + 8)
    expect(placesOf(params, lucidrainsNames(params)).find((place) => place.path === path)).toMatchObject({
      name: 'time_mlp.0.weights',
      shape: [8],
    })
  })

  it('are a setting, whose absence says sinusoidal', () => {
    expect(withoutDefaults({ ...tinySettings.model, time: 'sinusoidal' })).toEqual(tinySettings.model)
    expect(withoutDefaults(learned)).toEqual(learned)
  })

  it.each([
    ['learned', true],
    ['random', false],
  ] as const)(
    '%s: whether a run moves their frequencies is %s; averages of those that stay are the same',
    async (time, moves) => {
      const frequencies = async (params: unknown): Promise<readonly number[]> => {
        const found = leavesWithPaths(params).find(([name]) => name === path)
        if (found === undefined) throw new Error('the network has no frequencies')
        return values(found[1], device)
      }
      const trained = async (steps: number): Promise<readonly number[]> => {
        const config = tinyConfig(fresh(), { model: { ...tinySettings.model, time }, steps, watch: 'off' })
        await done(train(config))
        return frequencies((await done(load(config.out))).average)
      }
      const [before, after] = [await trained(1), await trained(4)]
      expect(after).toHaveLength(8)
      if (moves) expect(after).not.toEqual(before)
      else expect(after).toEqual(before)
    },
  )
})
