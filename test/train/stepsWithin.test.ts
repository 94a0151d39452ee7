import { describe, expect, it } from 'vitest'
import { trainingOf, type Task } from '../../src/train/index.ts'
import { stepsWithin } from '../../src/train/stepsWithin.ts'
import { scalar, tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice } from '../support/device.ts'
import { tinyConfig } from './tinyRun.ts'

/** A clock that moves on whenever it is read, which is about once a step. */
const clockOf = (secondsOfReading: () => number) => {
  let time = 0
  return { now: () => (time += 1000 * secondsOfReading()) }
}

const words = { model: '', goal: '', example: { one: '', many: '', short: '' }, measured: () => [] }

/** A number that learns to be 0; in phases where it has some. */
const number = (phaseAt?: (step: number) => string): Task<{ readonly w: Tensor }, Tensor, object> => ({
  words,
  losses: [],
  init: () => ({ w: tensor([1]) }),
  draws: () => ({}),
  blank: () => scalar(0),
  loss:
    phaseAt === undefined
      ? ({ w }) => w.square().sum()
      : {
          phases: { a: ['w'], b: ['w'] },
          parts: [],
          phaseAt: (step) => ({ name: phaseAt(step), weights: {} }),
          gradients: (params, { differentiate }) => {
            const [loss, gradients] = differentiate((p: typeof params) => p.w.square().sum(), params)
            return { loss, gradients, parts: {} }
          },
        },
})

const fitting = (seconds: number, steps: number, secondsOfReading: () => number, phaseAt?: (step: number) => string) =>
  stepsWithin(
    cpuDevice(),
    { ...trainingOf(tinyConfig('unused', { steps })), task: number(phaseAt), steps },
    () => scalar(0),
    seconds,
    clockOf(secondsOfReading),
  )

describe('The steps that fit into a time', () => {
  it('are as many as fit into 92 % of it, at the mean of some that were made', async () => {
    // The clock moves on only when it is read: from 2 seconds on the steps that were made are counted.
    const { steps, secondsPerStep } = await fitting(100, 1000, () => 0.5)
    expect(steps).toBe(Math.floor(92 / secondsPerStep))
    expect(secondsPerStep).toBeCloseTo(0.5, 0)
  })

  it('are at least one', async () => {
    expect((await fitting(1e-6, 10, () => 1)).steps).toBe(1)
  })

  it('count each phase by its part of the run', async () => {
    const one = (await fitting(1e4, 100, () => 1)).secondsPerStep
    const readings = { n: 0 }
    const growing = () => (readings.n++ < 6 ? 1 : 3)
    const { secondsPerStep } = await fitting(1e4, 100, growing, (step) => (step <= 75 ? 'a' : 'b'))
    expect(secondsPerStep).toBeGreaterThan(one)
    expect(secondsPerStep).toBeLessThan(3 * one)
  })
})
