/** How many steps fit into a run's time: some are made on a state that is thrown away, and timed. */
import { at, range } from '../prelude/array.ts'
import type { Device } from '../tensor/device.ts'
import { key, type Key } from '../tensor/random.ts'
import { initialState, type Recipe, type TrainState } from './recipe.ts'
import { stepperOn } from './step.ts'
import type { Examples } from './task.ts'

/** What timing asks of its surroundings. */
export interface Clock {
  /** Milliseconds. */
  readonly now: () => number
}

/** The part of the time that steps may take: checkpoints, measurements and sheets take the rest. */
const shareOfSteps = 0.92

/** Seconds and steps of one measurement, at least; the first steps, in which code is compiled, are not counted. */
const [leastSeconds, leastSteps, unmeasured] = [2, 3, 2] as const

/** Steps at which a phase is looked for, evenly over the run. */
const looks = 100

/** The mean seconds of a step from `step` on. */
const secondsAt = async <P, B, D>(
  device: Device,
  recipe: Recipe<P, B, D>,
  examples: Examples<B>,
  step: number,
  { now }: Clock,
): Promise<number> => {
  const stepper = stepperOn(device, recipe)
  let state: TrainState<P> = await device.compile((seed: Key) => initialState<P>(recipe, seed))(key(recipe.seed))
  let start = now()
  let counted = -unmeasured
  while (counted < leastSteps || now() - start < 1000 * leastSeconds) {
    if (counted === 0) start = now()
    const [next, { loss }] = await stepper.run(state, examples, step)
    await device.read(loss)
    state = next
    counted++
  }
  return (now() - start) / 1000 / counted
}

/**
 * The steps that fit into so many seconds. Where a task learns in phases, each is timed, and counts by its part of the run.
 *
 * @param seconds the time of the whole run
 * @returns at least 1, and the mean seconds of a step
 */
export const stepsWithin = async <P, B, D>(
  device: Device,
  recipe: Recipe<P, B, D> & { readonly steps: number },
  examples: Examples<B>,
  seconds: number,
  clock: Clock = { now: () => performance.now() },
): Promise<{ readonly steps: number; readonly secondsPerStep: number }> => {
  const { loss } = recipe.task
  const moments = range(looks).map((i) => 1 + Math.floor((i / looks) * recipe.steps))
  const phaseAt = (step: number): string => (typeof loss === 'object' ? loss.phaseAt(step).name : '')
  const phases = new Set(moments.map(phaseAt))
  let secondsPerStep = 0
  for (const phase of phases) {
    const among = moments.filter((step) => phaseAt(step) === phase)
    secondsPerStep += (among.length / looks) * (await secondsAt(device, recipe, examples, at(among, 0), clock))
  }
  return { steps: Math.max(1, Math.floor((shareOfSteps * seconds) / secondsPerStep)), secondsPerStep }
}
