/**
 * The loops of threads in every order of their steps: each unit is done once, in its phase, and nobody sleeps through what is for them.
 *
 * Two workers, with functions installed between two programs, come to 7.2 million states; nothing was wrong in any of them, but that
 * takes minutes. These take seconds.
 */
import { describe, expect, it } from 'vitest'
import { explore } from './explore.ts'
import type { Model, ModelPhase } from './threadState.ts'

const phase = (changes: Partial<ModelPhase> = {}): ModelPhase => ({
  function: 0,
  units: 2,
  chunk: 1,
  calls: 'all',
  ...changes,
})

/** Nothing goes wrong, and there were orders to try. */
const expectSound = (model: Model): void => {
  const { states, ...wrong } = explore(model)
  expect(wrong).toEqual({})
  expect(states).toBeGreaterThan(1000)
}

describe('in every order of their steps', { timeout: 60_000 }, () => {
  it('threads do each unit once, and begin a phase when the one before is done', () => {
    const phases = [phase({ units: 3, chunk: 2 }), phase({ units: 1, calls: 'alone' }), phase({ calls: 'awake' })]
    expectSound({ workers: 1, phases, script: [{ run: [0, 3] }] })
  })

  it('a program that runs again does all its units again', () => {
    expectSound({ workers: 1, phases: [phase()], script: [{ run: [0, 1] }, { run: [0, 1] }, { run: [0, 1] }] })
  })

  it('all who sleep are woken for units that need them all', () => {
    expectSound({ workers: 2, phases: [phase({ units: 3, together: true })], script: [{ run: [0, 1] }] })
  })

  it('a worker reads its messages before it sleeps', () => {
    expectSound({ workers: 1, phases: [phase()], script: [{ run: [0, 1] }, 'install', 'install'] })
  })

  it('a worker has the functions of the units that it takes', () => {
    const phases = [phase(), phase({ function: 1, together: true })]
    expectSound({ workers: 1, phases, script: [{ run: [0, 1] }, 'install', { run: [1, 2] }, { run: [0, 1] }] })
  })
})
