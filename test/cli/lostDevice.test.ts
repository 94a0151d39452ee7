/** What the command says where the device of a run is lost: a run that is told to stop meanwhile, and one that is given up. */
import process from 'node:process'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { E, TE } from '../../src/prelude/fp.ts'
import { runTrain } from '../../src/cli/runs.ts'
import type { TrainError, TrainEvent, TrainHooks, TrainSummary } from '../../src/train/index.ts'

/** What a run does in the place of training. */
const script: { run: (hooks: TrainHooks) => Promise<E.Either<TrainError, TrainSummary>> } = {
  run: () => Promise.reject(new Error('no run is written')),
}

vi.mock('../../src/train/index.ts', async (original) => ({
  ...(await original<typeof import('../../src/train/index.ts')>()),
  train: (_: unknown, hooks: TrainHooks) => () => script.run(hooks),
}))

let printed = ''
beforeEach(() => {
  printed = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text)
    return true
  })
})
afterEach(() => {
  vi.restoreAllMocks()
})

const stepped: TrainEvent = { _tag: 'Stepped', step: 121, steps: 200, loss: 0.5, examplesPerSecond: 16 }
const lost: TrainEvent = { _tag: 'DeviceLost', reason: 'the driver was reset', step: 120, times: 1, most: 3 }

describe('fathom train, when the device was lost', () => {
  it('and it is told to stop, stops where the last checkpoint stands, and says how to go on', async () => {
    script.run = async ({ onEvent, signal }) => {
      onEvent?.(stepped)
      onEvent?.(lost)
      process.emit('SIGINT')
      expect(signal?.aborted).toBe(true)
      return E.right({ directory: 'seas', step: 120, steps: 200, interrupted: true, seconds: 3 })
    }
    expect(await runTrain(undefined, new Map([['out', 'seas']]))).toEqual({ code: 130 })
    expect(printed).toMatch(
      /opening it again, to go on after step 120[^]*stopping where the last checkpoint stands[^]*stopped after step 120 of 200, and saved\. Continue with\n\n {4}fathom resume seas/,
    )
    expect(printed).not.toContain('finishing the step')
  })

  it('and a step was made since, finishes the step', async () => {
    script.run = async ({ onEvent }) => {
      for (const event of [stepped, lost, stepped]) onEvent?.(event)
      process.emit('SIGTERM')
      return E.right({ directory: 'seas', step: 121, steps: 200, interrupted: true, seconds: 3 })
    }
    await runTrain(undefined, new Map([['out', 'seas']]))
    expect(printed).toContain('finishing the step and saving')
  })

  it('too often, ends with the message of the run', async () => {
    const message = "the device 'cpu' was lost 4 times within an hour"
    script.run = TE.left({ _tag: 'TrainError', code: 'DEVICE-LOST', message })
    expect(await runTrain(undefined, new Map([['out', 'seas']]))).toEqual({ code: 1, message })
  })
})
