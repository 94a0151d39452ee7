/**
 * The course of a run whose time is given: its steps, and how often it measures, draws and saves. All of these are done some times before the run
 * begins, on a state that is thrown away, and timed; so is the time that has passed by then. Steps are chosen once: they are part of the
 * configuration, by which the run is the same wherever it stops and goes on.
 */
import { pipe, TE } from '../../prelude/fp.ts'
import type { Device } from '../../tensor/device.ts'
import { orDeviceError } from '../deviceErrors.ts'
import { chosenAverage } from '../chosenAverage.ts'
import { trainingOf } from '../recipe.ts'
import type { Source } from '../task.ts'
import type { TrainConfig } from '../tasks/registry.ts'
import type { Subject } from '../tasks/subject.ts'
import type { TrainError } from '../trainError.ts'
import { fitted, type Fitted } from './fitted.ts'
import { sinkTimes } from './sinkTime.ts'
import { stepTime, type Now, type StepTime } from './stepTime.ts'

/** A run that is to end in time. */
export interface TimedRun<P, B, D> {
  readonly subject: Subject<P, B, D>
  readonly config: TrainConfig
  readonly source: Source<P, B>
  readonly device: Device
  /** Milliseconds by the same clock: when its time began, and now. */
  readonly since: number
  readonly now: Now
}

/** The part of a run's time for which something must be done at most to be timed twice. */
const brief = 0.01

/** The course that fits, and how long a step takes. @param seconds the time of the whole run */
export const withinTime = <P, B, D>(
  { subject, config, source, device, since, now }: TimedRun<P, B, D>,
  seconds: number,
): TE.TaskEither<TrainError, Fitted & { readonly secondsPerStep: number }> => {
  const { task } = subject
  const recipe = { ...trainingOf(config), task, steps: config.steps }
  return pipe(
    TE.fromTask<StepTime<P, B>, TrainError>(() =>
      stepTime(device, recipe, { examples: source.examples, seconds, now }),
    ),
    TE.bindTo('step'),
    TE.bind('costs', ({ step: { stepper, state } }) => {
      const parts = { config, task, source, device, configHash: '', emit: () => undefined }
      return sinkTimes({ ...parts, stepper, state, from: 0, chosen: chosenAverage(config) }, now, brief * seconds)
    }),
    TE.map(({ step: { secondsPerStep, beginning }, costs }) => ({
      ...fitted({ left: seconds - (now() - since) / 1000, beginning, secondsPerStep, costs }),
      secondsPerStep,
    })),
    orDeviceError(device.name),
  )
}
