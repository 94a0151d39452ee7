/** From a configuration to what it names: the network, the noise schedule, the optimizer, and the rates of each step. */
import { cosineSchedule, linearSchedule, sigmoidSchedule, type LossOptions, type Schedule } from '../diffusion/index.ts'
import type { DenoiserInput } from '../models/family.ts'
import { modelOf, type DenoiserParams } from '../models/registry.ts'
import type { Module } from '../nn/index.ts'
import {
  adam,
  chain,
  clipByGlobalNorm,
  constantWithWarmup,
  cosineDecay,
  diffusersEmaDecay,
  type AdamState,
  type Stateless,
  type Transform,
} from '../optim/index.ts'
import { mapTree } from '../tensor/tree.ts'
import type { Key } from '../tensor/random.ts'
import { channelsOf, type TrainConfig } from './trainConfig.ts'

/** The parameters of the network. */
export type Params = DenoiserParams

/** The state of the optimizer. */
export type OptimizerState = [Stateless, AdamState]

/** What a step takes over from the step before, and all that a checkpoint holds. */
export interface TrainState {
  readonly params: Params
  readonly opt: OptimizerState
  /** The moving average of the parameters, from which samples are drawn. */
  readonly average: Params
}

/** What a configuration names, ready to be put together. */
export interface Recipe {
  readonly config: TrainConfig
  readonly model: Module<Params, DenoiserInput>
  readonly schedule: Schedule
  /** What the loss is told: the schedule, what is predicted, and the weights of the times. */
  readonly lossOptions: LossOptions
  readonly optimizer: Transform<OptimizerState>
  /** The learning rate of step 1, 2, … */
  readonly rateAt: (step: number) => number
  /** The decay of the average at step 1, 2, … */
  readonly decayAt: (step: number) => number
}

const schedules: { readonly [K in TrainConfig['schedule']]: (steps: number) => Schedule } = {
  linear: (steps) => linearSchedule(steps),
  cosine: (steps) => cosineSchedule(steps),
  sigmoid: (steps) => sigmoidSchedule(steps),
}

const rateOf = ({ rate, learningRate, steps }: TrainConfig): ((step: number) => number) => {
  const warmupSteps = Math.min(100, Math.ceil(steps / 100))
  const schedule =
    rate === 'cosine'
      ? cosineDecay({ learningRate, warmupSteps, steps: steps + 1 })
      : constantWithWarmup({ learningRate, warmupSteps })
  return schedule
}

/**
 * The recipe of a configuration. Adam's second decay of 0.99 and clipping at 1 are those of lucidrains' trainer.
 *
 * @example
 * ```ts
 * import { presets, recipeOf } from 'fathom/train'
 *
 * const names = { folder: null, out: 'runs/sea', preset: 'tiny', seed: 0, device: 'wasm' }
 * const { schedule, rateAt } = recipeOf({ ...presets.tiny, ...names })
 * schedule.steps // => 1000
 * rateAt(3) // => 0.002
 * rateAt(6) // => 0.004
 * rateAt(601) // => 0
 * ```
 */
export const recipeOf = (config: TrainConfig): Recipe => {
  const schedule = schedules[config.schedule](config.timesteps)
  return {
    config,
    model: modelOf(config.model, channelsOf(config)),
    schedule,
    lossOptions: {
      schedule,
      prediction: config.objective,
      weighting: config.weighting,
      ...(config.minSnr !== null && { minSnrGamma: config.minSnr }),
    },
    optimizer: chain(clipByGlobalNorm(1), adam({ beta1: 0.9, beta2: 0.99 })),
    rateAt: rateOf(config),
    decayAt: diffusersEmaDecay({ decay: config.ema }),
  }
}

/**
 * The state before the first step, not yet computed: the average begins as the parameters.
 *
 * @example
 * ```ts
 * import { countElements, key } from 'fathom'
 * import { initialState, presets, recipeOf } from 'fathom/train'
 *
 * const names = { folder: null, out: 'runs/sea', preset: 'tiny', seed: 0, device: 'wasm' }
 * const { params, opt, average } = initialState(recipeOf({ ...presets.tiny, ...names }), key(0))
 * countElements(params) // => 187347
 * countElements(opt) // => 374696
 * countElements(average) // => 187347
 * ```
 */
export const initialState = ({ model, optimizer }: Recipe, key: Key): TrainState => {
  const params = model.init(key)
  return { params, opt: optimizer.init(params), average: mapTree(params, (x) => x) }
}
