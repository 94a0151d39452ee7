/** Which pictures a run sees: those of the stream, from the first, each batch once; also when it stopped on the way. */
import { describe, expect, it } from 'vitest'
import { batchAt } from '../../src/data/index.ts'
import { key } from '../../src/tensor/random.ts'
import {
  initialState,
  recipeOf,
  resume,
  stepperOn,
  train,
  type DiffusionRun,
  type TrainHooks,
} from '../../src/train/index.ts'
import { openPictures } from '../../src/train/pictures/openPictures.node.ts'
import { cpuDevice } from '../support/device.ts'
import { directories, done, tinyConfig } from './tinyRun.ts'

const directory = directories()

/** The losses of the steps of a loop written out: step n takes pictures (n − 1)·count … n·count − 1 of the stream. */
const expectedLosses = async (config: DiffusionRun): Promise<readonly number[]> => {
  const [device, recipe] = [cpuDevice(), recipeOf(config)]
  const { data } = await done(openPictures(config))
  const stepper = stepperOn(device, recipe)
  const count = config.batch * config.accumulate
  let state = await device.compile((k: ReturnType<typeof key>) => initialState(recipe, k))(key(config.seed))
  const losses: number[] = []
  for (let n = 1; n <= config.steps; n++) {
    const [next, { loss }] = await stepper.run(state, recipe.task.examples(batchAt(data, (n - 1) * count, count)), n)
    losses.push((await device.read(loss))[0] ?? NaN)
    state = next
  }
  return losses
}

const recording = (losses: number[], controller?: AbortController, last?: number): TrainHooks => ({
  ...(controller && { signal: controller.signal }),
  onEvent: (event) => {
    if (event._tag !== 'Stepped') return
    losses.push(event.loss)
    if (event.step === last) controller?.abort()
  },
})

describe('the pictures of a run', () => {
  const known = new Map<number, Promise<readonly number[]>>()

  /** Where a run is written to changes no loss. */
  const losesAs = (config: DiffusionRun): Promise<readonly number[]> => {
    const expected = known.get(config.accumulate) ?? expectedLosses(config)
    known.set(config.accumulate, expected)
    return expected
  }

  it.each([1, 2])('are those of the stream from the first, with %i micro-batches a step', async (accumulate) => {
    const config = tinyConfig(directory(), { steps: 3, accumulate, device: 'cpu' })
    const losses: number[] = []
    await done(train(config, recording(losses)))
    expect(losses).toEqual(await losesAs(config))
  })

  it('go on where the run stopped', async () => {
    const config = tinyConfig(directory(), { steps: 3, device: 'cpu' })
    const losses: number[] = []
    await done(train(config, recording(losses, new AbortController(), 1)))
    await done(resume(config.out, recording(losses)))
    expect(losses).toEqual(await losesAs(config))
  })
})
