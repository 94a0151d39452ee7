/** How long a step takes: some are made on a state that is thrown away, and timed. */
import { at, range } from '../../prelude/array.ts'
import type { Device } from '../../tensor/device.ts'
import { key, type Key } from '../../tensor/random.ts'
import { steps } from '../loop.ts'
import { initialState, type Recipe, type TrainState } from '../recipe.ts'
import { stepperOn, type Stepper } from '../step.ts'
import { isLearning, type Examples } from '../task.ts'

/** Milliseconds. */
export type Now = () => number

/** How long steps take, and a state behind some of them. */
export interface StepTime<P, B> {
  /** The mean over the run. */
  readonly secondsPerStep: number
  /** What the first steps take longer than others, because code is compiled in them. */
  readonly beginning: number
  readonly stepper: Stepper<P, B>
  readonly state: TrainState<P>
}

/** Steps at which a phase is looked for, evenly over the run. */
const looks = 100

/** Steps of one measurement, at least; before them some are made that are not counted, in which code is compiled. */
const [leastSteps, unmeasured] = [3, 2] as const

/** Seconds of one measurement: longer in a long run, for a machine is not equally fast at all times. @param seconds the time of the run */
const measuringSeconds = (seconds: number): number => Math.min(20, Math.max(2, 0.01 * seconds))

/** What a step takes at one place of the run. */
interface Timed<P> {
  readonly seconds: number
  readonly beginning: number
  readonly state: TrainState<P>
}

/** What timing goes by. */
export interface Timing<B> {
  readonly examples: Examples<B>
  /** The time of the whole run. */
  readonly seconds: number
  readonly now: Now
}

/** Makes steps like the one at `step`, and times them. */
const timedAt = async <P, B>(
  device: Device,
  stepper: Stepper<P, B>,
  begin: TrainState<P>,
  step: number,
  { examples, seconds, now }: Timing<B>,
): Promise<Timed<P>> => {
  let state = begin
  const make = async (): Promise<void> => {
    for await (const report of steps({ device, stepper, examples, from: step - 1, steps: step }, state))
      state = report.state
  }
  const begun = now()
  for (const _ of range(unmeasured)) await make()
  const start = now()
  const enough = 1000 * measuringSeconds(seconds)
  let counted = 0
  while (counted < leastSteps || now() - start < enough) {
    await make()
    counted++
  }
  const each = (now() - start) / 1000 / counted
  return { seconds: each, beginning: Math.max(0, (start - begun) / 1000 - unmeasured * each), state }
}

/** The mean seconds of a step. Where a task learns in phases, each is timed, and counts by its part of the run. */
export const stepTime = async <P, B, D>(
  device: Device,
  recipe: Recipe<P, B, D> & { readonly steps: number },
  timing: Timing<B>,
): Promise<StepTime<P, B>> => {
  const { loss } = recipe.task
  const moments = range(looks).map((i) => 1 + Math.floor((i / looks) * recipe.steps))
  const phaseAt = (step: number): string => (isLearning<P, B, D>(loss) ? loss.phaseAt(step).name : '')
  const phases = new Set(moments.map(phaseAt))
  const stepper = stepperOn(device, recipe)
  let state: TrainState<P> = await device.compile((seed: Key) => initialState<P>(recipe, seed))(key(recipe.seed))
  let [secondsPerStep, beginning] = [0, 0]
  for (const phase of phases) {
    const among = moments.filter((step) => phaseAt(step) === phase)
    const timed = await timedAt(device, stepper, state, at(among, 0), timing)
    secondsPerStep += (among.length / looks) * timed.seconds
    beginning += timed.beginning
    state = timed.state
  }
  return { secondsPerStep, beginning, stepper, state }
}
