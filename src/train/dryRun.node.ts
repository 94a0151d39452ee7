/** A run on paper: what it would take, from the plan of its real step, and a short measurement of how fast the device computes. */
import { valueAndGrad } from '../autograd/index.ts'
import { flopsOf } from '../compiler/cost.ts'
import { widthOf } from '../models/registry.ts'
import { conv2d, silu } from '../nn/index.ts'
import { TE } from '../prelude/fp.ts'
import type { Device } from '../tensor/device.ts'
import { key, normal, type Key } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { TrainConfig } from './trainConfig.ts'
import { openData } from './data.node.ts'
import type { RunFacts } from './events.ts'
import { factsOf } from './facts.ts'
import { guarded, need } from './failure.ts'
import { requireLeast } from './leastMemory.node.ts'
import { openDevice, requireMemory, type DeviceChoice } from './openDevice.ts'
import { initialState, recipeOf, type Recipe } from './recipe.ts'
import { stepperOn } from './step.ts'
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

/** Seconds of measuring: long enough for code to be compiled. */
const measuringSeconds = 0.6

/** The rate at which the device runs a convolution of the network's first stage and its gradient, at its best. */
const measureRate = async (device: Device, { config }: Recipe): Promise<number> => {
  const width = widthOf(config.model)
  const layer = conv2d(width, width, 3, { padding: 1 })
  const shape = [config.batch, config.height, config.width, width]
  const [params, x] = await device.compile((k: Key) => [layer.init(k), normal(k, shape)] as const)(key(0))
  const run = device.compile((p: typeof params, input: Tensor) =>
    valueAndGrad((q: typeof params) => silu(layer.apply(q, input)).square().mean())(p),
  )
  const flops = flopsOf(run.plan(params, x))
  let best = Infinity
  const begin = performance.now()
  while (performance.now() - begin < 1000 * measuringSeconds) {
    const start = performance.now()
    const [loss] = await run(params, x)
    await device.read(loss)
    best = Math.min(best, performance.now() - start)
  }
  return (1000 * flops) / best
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
  guarded(async () => {
    const device = await need(openDevice(config.device, choice))
    try {
      await need(TE.fromEither(requireLeast(device, config)))
      const opened = await need(openData(config))
      const recipe = recipeOf(config)
      const state = initialState(recipe, key(config.seed))
      const stepper = stepperOn(device, recipe)
      const plan = stepper.plan(state)
      await need(TE.fromEither(requireMemory(device, stepper.bytes(state))))
      const facts = factsOf({ recipe, state, plan, device: device.description, pictures: opened.summary })
      const flopsPerSecond = await measureRate(device, recipe)
      return {
        facts,
        kernels: plan.kernels.length,
        flopsPerSecond,
        seconds: (facts.flops / flopsPerSecond) * config.steps,
        warnings: opened.warnings,
      }
    } finally {
      await device.close()
    }
  })
