/** How long a run's measurements, sheets and checkpoints take: each is done once or twice on a state that is thrown away, and timed. */
import { E, TE } from '../../prelude/fp.ts'
import { memoryStore } from '../memoryStore.ts'
import { runSinks, type Run } from '../run.ts'
import type { Store } from '../store.ts'
import type { TrainError } from '../trainError.ts'
import type { Now } from './stepTime.ts'

/** The settings that say how often something is done beside steps. */
export const everies = ['heldOutEvery', 'sampleEvery', 'saveEvery'] as const

/** One of them. */
export type Every = (typeof everies)[number]

/** Seconds of what is done again and again: the first time, in which much is prepared, and each time after. */
export interface Cost {
  readonly first: number
  readonly further: number
}

/** What each costs. */
export type Costs = { readonly [K in Every]: Cost }

/** A store that keeps no checkpoint: large ones would fill the memory that the run needs. */
const forgetful = (): Store => {
  const store = memoryStore()
  return { ...store, checkpoints: { ...store.checkpoints, save: () => TE.right('') } }
}

/** More steps than are made here. */
const never = 2 ** 40

/** The seconds of one kind. @param brief seconds beyond which it is not done a second time */
const costOf = async <P, B>(
  run: Run<P, B>,
  every: Every,
  now: Now,
  brief: number,
): Promise<E.Either<TrainError, Cost>> => {
  const config = { ...run.config, heldOutEvery: never, sampleEvery: never, saveEvery: never, [every]: 1 }
  const sinks = runSinks({ ...run, config, emit: () => undefined }, forgetful())
  const takes = async (step: number): Promise<E.Either<TrainError, number>> => {
    const start = now()
    const report = { step, steps: never, state: run.state, loss: 1, examplesPerSecond: 1 }
    const taken = await TE.sequenceSeqArray(sinks.map((sink) => sink.take(report)))()
    return E.isLeft(taken) ? taken : E.right((now() - start) / 1000)
  }
  const first = await takes(1)
  if (E.isLeft(first) || first.right > brief)
    return E.isLeft(first) ? first : E.right({ first: first.right, further: first.right })
  const further = await takes(2)
  return E.isLeft(further) ? further : E.right({ first: first.right, further: further.right })
}

/**
 * What measurements, sheets and checkpoints of a run cost.
 *
 * @param brief seconds: what takes longer is not done a second time
 * @returns Left where one of them fails, as it would in the run
 */
export const sinkTimes =
  <P, B>(run: Run<P, B>, now: Now, brief: number): TE.TaskEither<TrainError, Costs> =>
  async () => {
    const found: Partial<Record<Every, Cost>> = {}
    for (const every of everies) {
      const cost = await costOf(run, every, now, brief)
      if (E.isLeft(cost)) return cost
      found[every] = cost.right
    }
    const { heldOutEvery = none, sampleEvery = none, saveEvery = none } = found
    return E.right({ heldOutEvery, sampleEvery, saveEvery })
  }

const none: Cost = { first: 0, further: 0 }
