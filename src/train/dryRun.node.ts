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
import { stepperOn } from './step.ts'
import type { Source } from './task.ts'
import { subjectOf } from './tasks/registry.node.ts'
import type { Subject } from './tasks/subject.ts'
import type { TrainConfig } from './tasks/registry.ts'
import type { TrainError } from './trainError.ts'

/** A run on paper. */
export interface TrainingPlan {
  readonly facts: RunFacts
  /** Kernels of the compiled step. */
  readonly kernels: number
  /** Floating-point operations a second that the device reached. */
  readonly flopsPerSecond: number
  /** Seconds that all steps would take at that rate, without samples and checkpoints. */
  readonly seconds: number
  readonly warnings: readonly string[]
}

/** Plans the step, and measures how fast the device is. */
const planned = <P, B, D>(
  { task, measureRate }: Subject<P, B, D>,
  { summary, warnings }: Source<P, B>,
  config: TrainConfig,
  device: Device,
): TE.TaskEither<TrainError, TrainingPlan> => {
  const recipe = { ...trainingOf(config), task }
  const state = initialState<P>(recipe, key(config.seed))
  const stepper = stepperOn(device, recipe)
  const plan = stepper.plan(state)
  const known = { config, words: task.words, device: device.description, data: summary }
  const facts = factsOf({ ...known, state, plan })
  return pipe(
    TE.fromEither(requireMemory(device, stepper.bytes(state))),
    TE.chain(() => TE.fromTask(() => measureRate(device))),
    TE.map((flopsPerSecond) => ({
      facts,
      kernels: plan.kernels.length,
      flopsPerSecond,
      seconds: (facts.flops / flopsPerSecond) * config.steps,
      warnings,
    })),
  )
}

/**
 * What `train` would do with this configuration: the pictures are opened, the step is compiled and not run, nothing is written.
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
  subjectOf(config)((subject) =>
    pipe(
      openDevice(config.device, choice),
      TE.chain((device) =>
        pipe(
          TE.fromEither(subject.requireLeast(device)),
          TE.chain(() => subject.open(device, () => undefined)),
          TE.chain((source) => planned(subject, source, config, device)),
          orDeviceError(device.name),
          ensuring(() => device.close()),
        ),
      ),
    ),
  )
