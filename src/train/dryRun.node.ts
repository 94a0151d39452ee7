/** A run on paper: what it would take, from the plan of its real step, and a short measurement of how fast the device computes. */
import { pipe, TE } from '../prelude/fp.ts'
import type { Device } from '../tensor/device.ts'
import { key } from '../tensor/random.ts'
import { orDeviceError } from './deviceErrors.ts'
import { ensuring } from './ensuring.ts'
import type { RunFacts } from './events.ts'
import { factsOf } from './facts.ts'
import { openDevice, requireMemory, type DeviceChoice } from './openDevice.ts'
import { initialState, trainingOf } from './recipe.ts'
import { stageOf } from './stages.node.ts'
import { secondsOfStage } from './time/secondsOfStage.ts'
import { stepperOn } from './step.ts'
import type { Source } from './task.ts'
import { subjectOf } from './tasks/registry.node.ts'
import type { Subject } from './tasks/subject.ts'
import type { TrainConfig } from './tasks/registry.ts'
import type { TrainError } from './trainError.ts'

/** A run on paper. */
export interface TrainingPlan {
  /** The steps of its configuration are, where its time is given, those that would fit. */
  readonly facts: RunFacts
  /** Kernels of the compiled step. */
  readonly kernels: number
  /** Floating-point operations a second that the device reached. */
  readonly flopsPerSecond: number
  /** Seconds that all steps would take at that rate, without samples and checkpoints. */
  readonly seconds: number
  readonly warnings: readonly string[]
  /** The run that would train its autoencoder first, where there is one. */
  readonly firstStage?: TrainingPlan
}

/** The part of a run's time that steps have, about. */
const partOfSteps = 0.9

/** Steps in so many seconds; those of the configuration where its time is not given. */
const stepsIn = (config: TrainConfig, seconds: number | undefined, secondsPerStep: number): number =>
  seconds === undefined ? config.steps : Math.max(1, Math.floor((partOfSteps * seconds) / secondsPerStep))

/** Plans the step, and measures how fast the device is. @param time seconds of this stage */
const planned = <P, B, D>(
  { task, measureRate }: Subject<P, B, D>,
  { summary, warnings }: Pick<Source<P, B>, 'summary' | 'warnings'>,
  config: TrainConfig,
  device: Device,
  time: number | undefined,
): TE.TaskEither<TrainError, TrainingPlan> => {
  const recipe = { ...trainingOf(config), task }
  const state = initialState<P>(recipe, key(config.seed))
  const stepper = stepperOn(device, recipe)
  const plan = stepper.plan(state)
  const known = { words: task.words, device: device.description, data: summary }
  return pipe(
    TE.fromEither(requireMemory(device, stepper.bytes(state))),
    TE.chain(() => TE.fromTask(() => measureRate(device))),
    TE.map((flopsPerSecond) => {
      const { flops } = factsOf({ ...known, config, state, plan })
      const steps = stepsIn(config, time, flops / flopsPerSecond)
      return {
        facts: factsOf({ ...known, config: { ...config, steps }, state, plan }),
        kernels: plan.kernels.length,
        flopsPerSecond,
        seconds: (flops / flopsPerSecond) * steps,
        warnings,
      }
    }),
  )
}

/** The plan of one stage. */
const stagePlan = (
  config: TrainConfig,
  choice: DeviceChoice,
  time: number | undefined,
): TE.TaskEither<TrainError, TrainingPlan> =>
  subjectOf(config)((subject) =>
    pipe(
      openDevice(config.device, choice),
      TE.chain((device) =>
        pipe(
          TE.fromEither(subject.requireLeast(device)),
          TE.chain(() => subject.survey(() => undefined)),
          TE.chain((source) => planned(subject, source, config, device, time)),
          orDeviceError(device.name),
          ensuring(() => device.close()),
        ),
      ),
    ),
  )

/**
 * What `train` would do with this configuration: the pictures are opened, the step is compiled and not run, nothing is written. A run that would
 * train its autoencoder first has a plan for each of the two.
 *
 * @param choice how the device is opened
 * @returns parameters, planned memory, FLOPs of a step, and the estimated time
 * @example
 * ```ts
 * import { configOf, planTraining } from 'fathom/train'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 *
 * const model = { width: 4, multipliers: [1], heads: 1, headWidth: 4 }
 * const plan = pipe(
 *   TE.fromEither(configOf({ out: 'run', height: 8, width: 8, model, batch: 2, steps: 2 })),
 *   TE.chain(planTraining),
 *   TE.map(({ facts }) => facts.parameters),
 * )
 * await plan() // => right(5187)
 * ```
 */
export const planTraining = (config: TrainConfig, choice: DeviceChoice = {}): TE.TaskEither<TrainError, TrainingPlan> =>
  pipe(
    TE.fromEither(stageOf(config)),
    TE.chain((stage) => {
      const { time } = config
      if (stage === undefined) return stagePlan(config, choice, time)
      const first = time === undefined ? undefined : secondsOfStage(time)
      return pipe(
        stagePlan(stage, choice, first),
        TE.bindTo('firstStage'),
        TE.bind('own', () =>
          stagePlan(config, choice, time === undefined || first === undefined ? undefined : time - first),
        ),
        TE.map(({ firstStage, own }) => ({ ...own, firstStage })),
      )
    }),
  )
