/** A run in mixed precision whose every step is skipped ends, and says why. */
import { describe, expect, it } from 'vitest'
import { range } from '../../src/prelude/array.ts'
import { tensor } from '../../src/tensor/create.ts'
import { key } from '../../src/tensor/random.ts'
import { drain, initialState, trainingOf, type Report } from '../../src/train/index.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { leftMessage, right, tinyConfig } from './tinyRun.ts'

const state = initialState({ ...trainingOf(tinyConfig('unused')), task: { init: () => tensor([0]) } }, key(0))

/** 200 reports of as many steps. @param skipped how many were skipped up to a step */
async function* reports(skipped: (step: number) => number): AsyncGenerator<Report<Tensor>> {
  for (const step of range(201).slice(1))
    yield await Promise.resolve({ step, steps: 200, state, loss: 1, examplesPerSecond: 1, skipped: skipped(step) })
}

const diverged = (message: string, step: number) =>
  ({ _tag: 'TrainError', code: 'DIVERGED', message: `${message} step ${step}` }) as const

describe('a run that skips steps', () => {
  it('ends where all are skipped, for the loss scale cannot help', async () => {
    const ended = await drain(
      reports((step) => step),
      [],
      diverged,
    )()
    expect(leftMessage(ended)).toBe('gradients were not finite in 60 steps in a row, whatever the loss scale, step 61')
  })

  it('goes on as long as one in fifty is good', async () => {
    const ended = await drain(
      reports((step) => step - Math.floor(step / 50)),
      [],
      diverged,
    )()
    expect(right(ended)?.step).toBe(200)
  })
})
