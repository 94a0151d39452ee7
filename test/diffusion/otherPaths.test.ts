/** Every sampler by its name on schedules that end in pure noise: of a flow, and stretched. What a network knows for certain is drawn. */
import { describe, expect, it } from 'vitest'
import {
  cosineSchedule,
  flowSchedule,
  isSamplerName,
  levelAt,
  parameterizations,
  samplerNamed,
  samplers,
  samplingStep,
  shiftedSchedule,
  stepsOf,
  zeroTerminalSnr,
  type NoiseSchedule,
  type Prediction,
  type Sampler,
  type SamplerName,
} from '../../src/diffusion/index.ts'
import { range } from '../../src/prelude/array.ts'
import { keysOf } from '../../src/prelude/record.ts'
import { constant, scalar } from '../../src/tensor/create.ts'
import { key, normal } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../support/device.ts'

const device = cpuDevice()
const picture = constant([[0.5, -0.25, 0.9]])

const paths: readonly (readonly [string, NoiseSchedule, Prediction])[] = [
  ['a flow', flowSchedule(40), 'flow'],
  ['a flow that is shifted', shiftedSchedule(flowSchedule(40), 3), 'v'],
  ['a stretched chain', zeroTerminalSnr(cosineSchedule(40)), 'v'],
]

/** Those whose steps are in ε and λ, of which pure noise has none. */
const cannotBegin: readonly SamplerName[] = ['dpm-solver-noise']

/** The walk of a sampler with a network that knows the picture, from noise that is given. */
const drawn =
  (prediction: Prediction) =>
  async <S>(sampler: Sampler<S>): Promise<readonly number[]> => {
    const { levels } = sampler
    // What it is told is the time; it knows by x alone what it must say for x to be of this picture.
    const denoise = (index: Tensor, x: Tensor): Tensor => {
      const level = levelAt(levels, index, x)
      const epsilon = x.sub(picture.mul(level.signal)).div(level.noise)
      return parameterizations[prediction].target(level, picture, epsilon)
    }
    const step = device.compile((state: S, index: Tensor) =>
      samplingStep({ denoise, prediction, sampler, clip: false })(index, state, key(1), index),
    )
    let state = sampler.init(normal(key(2), [1, 3]))
    for (const i of range(stepsOf(levels))) state = await step(state, scalar(i, 'u32'))
    return values(sampler.image(state), device)
  }

describe.each(paths)('on %s', (_, schedule, prediction) => {
  it.each(keysOf(samplers))('%s draws what the network knows', async (name) => {
    if (!isSamplerName(name)) throw new Error('it is a name')
    const steps = samplers[name].everyStep ? schedule.steps : 12
    if (cannotBegin.includes(name))
      return expect(() => samplerNamed(name, schedule, steps)).toThrow('take levels that do not begin at pure noise')
    const found = await samplerNamed(name, schedule, steps)(drawn(prediction))
    const expected = await values(picture, device)
    found.forEach((value, i) => expect(Math.abs(value - (expected[i] ?? NaN)), name).toBeLessThan(0.02))
  })
})
