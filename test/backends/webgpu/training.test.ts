/**
 * Training on the GPU: its loss is wasm's, in f32 and mixed; and a device that is destroyed at any moment costs nothing but time.
 *
 * SwiftShader takes most of a second for a step on 16×16 pixels, so fewer are made on smaller ones; PROMISED=1 makes all 200 steps that are promised.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { useSwiftShader } from '../../../proof/webgpu.ts'
import { openAdapter } from '../../../src/backends/webgpu/adapter.ts'
import { backendOver } from '../../../src/backends/webgpu/backend.ts'
import { openWasm } from '../../../src/backends/wasm/whole.ts'
import { batchAt, dataOfSeas } from '../../../src/data/index.ts'
import { E } from '../../../src/prelude/fp.ts'
import { deviceOn, type Device } from '../../../src/tensor/device.ts'
import { key, type Key } from '../../../src/tensor/random.ts'
import { initialState, recipeOf, stepperOn, type DiffusionRun } from '../../../src/train/index.ts'
import { trainIn } from '../../../src/train/train.node.ts'
import { filesOf, lineSubject, surroundingsOf, type Watched } from '../../train/lossOfDevice.ts'
import { directories, right, tinyConfig } from '../../train/tinyRun.ts'

useSwiftShader()
const gpu = deviceOn(backendOver(await openAdapter({ software: true })))
const wasm = deviceOn(await openWasm({ threads: 1 }))

const [size, steps] = process.env['PROMISED'] === '1' ? [16, 200] : [8, 30]

/** A network of width 8. */
const small = (precision: 'f32' | 'mixed'): DiffusionRun =>
  tinyConfig('unused', {
    height: size,
    width: size,
    batch: 2,
    steps,
    timesteps: 1000,
    precision,
    model: { width: 8, multipliers: [1], heads: 1, headWidth: 8 },
  })

const lossesOf = async (device: Device, config: DiffusionRun): Promise<readonly number[]> => {
  const recipe = recipeOf(config)
  const data = dataOfSeas({ seed: 0, width: config.width, height: config.height })
  const stepper = stepperOn(device, recipe)
  let state = await device.compile((seed: Key) => initialState(recipe, seed))(key(0))
  const losses: number[] = []
  for (let step = 1; step <= config.steps; step++) {
    const examples = recipe.task.examples(batchAt(data, step, config.batch))
    const [next, { loss }] = await stepper.run(state, examples, step)
    losses.push(await device.item(loss))
    state = next
  }
  return losses
}

/** Means of runs of ten losses: single ones are those of single pictures at single noises. */
const smoothed = (losses: readonly number[]): readonly number[] =>
  Array.from({ length: losses.length / 10 }, (_, i) => losses.slice(10 * i, 10 * i + 10).reduce((a, b) => a + b) / 10)

describe('steps of a small diffusion model', () => {
  it.each([
    ['f32', 0.01],
    ['mixed', 0.02],
  ] as const)(
    'in %s follow the loss of wasm within %f of it',
    async (precision, bound) => {
      const config = small(precision)
      const [got, expected] = [smoothed(await lossesOf(gpu, config)), smoothed(await lossesOf(wasm, config))]
      expect(Math.max(...expected.map((loss, i) => Math.abs((got[i] ?? NaN) - loss) / loss))).toBeLessThan(bound)
      expect(expected.at(-1)).toBeLessThan(expected[0] ?? 0)
    },
    1_200_000,
  )
})

/** Surroundings whose first device is destroyed after so many milliseconds. */
const destroyedAfter = (milliseconds: number): Watched => {
  const base = surroundingsOf([])
  let isFirst = true
  return {
    ...base,
    open: () => async () => {
      const opened = await openAdapter({ software: true })
      if (isFirst) setTimeout(() => opened.device.destroy(), milliseconds)
      isFirst = false
      return E.right(deviceOn(backendOver(opened)))
    },
  }
}

describe('a run whose device is destroyed', () => {
  const directory = directories()
  const config = (out: string): DiffusionRun =>
    tinyConfig(out, { device: 'webgpu', batch: 5, sampleEvery: 3, heldOutEvery: 2, saveEvery: 2, steps: 6 })

  it('at any moment ends with the files of one that lost nothing', async () => {
    const sound = directory()
    const start = performance.now()
    right(await trainIn(destroyedAfter(1e6), lineSubject)(config(sound), {})())
    const took = performance.now() - start
    const files = filesOf(sound)
    let lost = 0
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0, max: 1, noNaN: true }), async (moment) => {
        const out = directory()
        const onEvent = ({ _tag }: { readonly _tag: string }): void => {
          if (_tag === 'DeviceLost') lost++
        }
        right(await trainIn(destroyedAfter(moment * took), lineSubject)(config(out), { onEvent })())
        expect(filesOf(out)).toEqual(files)
      }),
      { numRuns: 20, seed: 1 },
    )
    expect(lost).toBeGreaterThan(5)
  }, 600_000)
})
