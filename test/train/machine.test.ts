/** Where a run is computed: what is kept of the machine, and what is refused before anything is computed. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { planTraining, resume, train, type TrainHooks } from '../../src/train/index.ts'
import { directories, done, leftMessage, tinyConfig } from './tinyRun.ts'

const directory = directories()

const stopAfter = (last: number, v8Flags = false): TrainHooks => {
  const controller = new AbortController()
  return {
    signal: controller.signal,
    deviceOptions: { wasm: { threads: 2, v8Flags } },
    onEvent: (event) => {
      if (event._tag === 'Stepped' && event.step === last) controller.abort()
    },
  }
}

describe('the machine of a run', () => {
  it('is kept with the checkpoint, and code is made for it again when the run goes on', async () => {
    const config = tinyConfig(directory())
    const stateOf = (step: number): string =>
      join(config.out, 'checkpoints', `step-${`${step}`.padStart(6, '0')}`, 'state.json')
    await done(train(config, stopAfter(1)))
    expect(JSON.parse(readFileSync(stateOf(1), 'utf8'))).toMatchObject({
      device: 'wasm',
      machine: { fma: expect.any(Boolean), wide: false },
    })
    await done(resume(config.out, stopAfter(2, true))) // with flags a new run would be wide
    expect(JSON.parse(readFileSync(stateOf(2), 'utf8'))).toMatchObject({ machine: { wide: false } })
  })

  it('has too little memory for some runs, which do not begin', async () => {
    const config = tinyConfig(directory(), { height: 512, width: 512, batch: 512, heldOutEvery: 1 })
    expect(leftMessage(await planTraining(config)())).toMatch(
      /^a step needs more than [\d.]+ GB, and 'wasm' can use 4.29 GB: use a smaller batch \(and accumulate\), smaller pictures/,
    )
  })
})
