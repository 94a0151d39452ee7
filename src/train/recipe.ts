/** What a step goes by: a task, and how it is trained: the optimizer, the size of a step, and the rates of each. */
import {
  adam,
  chain,
  clipByGlobalNorm,
  initialLossScale,
  separately,
  type AdamState,
  type LossScaleOptions,
  type LossScaleState,
  type Stateless,
  type Transform,
} from '../optim/index.ts'
import type { Key } from '../tensor/random.ts'
import { mapTree } from '../tensor/tree.ts'
import { precisions, type Precision } from '../tensor/withPrecision.ts'
import { decaysOf, mapEach, type OneOrMore } from './averages.ts'
import { rateOf } from './rates.ts'
import type { RunConfig } from './runConfig.ts'
import { learnedOf } from './stateBranch.ts'
import { isLearning, type Task } from './task.ts'
import type { DiffusionRun } from './tasks/diffusion/diffusionConfig.ts'
import { diffusionTask, type DiffusionTask } from './tasks/diffusion/diffusionTask.ts'

/** The state of the optimizer of one network. */
export type NetworkOptimizerState = [Stateless, AdamState]

/** The state of the optimizer: of all parameters, or, where the task's {@link Learning} has several networks, of each by its name. */
export type OptimizerState = NetworkOptimizerState | Readonly<Record<string, NetworkOptimizerState>>

/** What a step takes over from the step before, and all that a checkpoint holds. */
export interface TrainState<P> {
  readonly params: P
  readonly opt: OptimizerState
  /** The moving averages of the parameters, from one of which samples are drawn. */
  readonly averages: OneOrMore<P>
  /** There where the loss is scaled. */
  readonly lossScale?: LossScaleState
}

/** How a task is trained. */
export interface Training {
  readonly optimizer: Transform<NetworkOptimizerState>
  /** The learning rate of step 1, 2, …, where the task's phase has none of its own. */
  readonly rateAt: (step: number) => number
  /** The decay of each average at step 1, 2, … */
  readonly decays: OneOrMore<(step: number) => number>
  /** Examples that go through the network together. */
  readonly batch: number
  /** Batches for each step. */
  readonly accumulate: number
  /** Of what the steps draw. */
  readonly seed: number
  /** Which values of the loss and its gradient are halves; absent for none. */
  readonly precision?: Precision
  /** How the loss is scaled: where one overflows, the step is skipped. Absent where it is not. */
  readonly lossScale?: LossScaleOptions
}

/** The part of a recipe that mixed precision is. */
const mixed = { precision: precisions.mixed, lossScale: {} } as const satisfies Partial<Training>

/** A task, and how it is trained. */
export interface Recipe<P, B, D> extends Training {
  readonly task: Task<P, B, D>
}

/**
 * How a configuration trains. Adam's second decay of 0.99 and clipping at 1 are those of lucidrains' trainer.
 *
 * @example
 * ```ts
 * import { presets, trainingOf } from 'fathom/train'
 *
 * const names = { folder: null, out: 'runs/sea', preset: 'tiny', seed: 0, device: 'wasm' }
 * const { rateAt } = trainingOf({ ...presets.tiny, ...names })
 * rateAt(3) // => 0.002
 * rateAt(6) // => 0.004
 * rateAt(601) // => 0
 * ```
 */
export const trainingOf = (config: RunConfig): Training => ({
  optimizer: chain(clipByGlobalNorm(1), adam({ beta1: 0.9, beta2: 0.99 })),
  rateAt: rateOf(config),
  decays: decaysOf(config.ema),
  batch: config.batch,
  accumulate: config.accumulate,
  seed: config.seed,
  ...(config.precision === 'mixed' && mixed),
})

/**
 * The recipe of a diffusion model's configuration: its task, and how it is trained.
 *
 * @example
 * ```ts
 * import { presets, recipeOf } from 'fathom/train'
 *
 * const names = { folder: null, out: 'runs/sea', preset: 'tiny', seed: 0, device: 'wasm' }
 * const { task, batch } = recipeOf({ ...presets.tiny, ...names })
 * task.schedule.steps // => 1000
 * batch // => 16
 * ```
 */
export const recipeOf = (config: DiffusionRun): Training & { readonly task: DiffusionTask } => ({
  ...trainingOf(config),
  task: diffusionTask(config),
})

/** What of a task its first state goes by. */
export interface Beginning<P> extends Pick<Task<P, never, unknown>, 'init'> {
  /** A record where it is a {@link Learning} or has a state. */
  readonly loss?: unknown
}

/**
 * The state before the first step, not yet computed: each average begins as the parameters.
 *
 * @example
 * ```ts
 * import { countElements, key } from 'fathom'
 * import { initialState, presets, recipeOf } from 'fathom/train'
 *
 * const names = { folder: null, out: 'runs/sea', preset: 'tiny', seed: 0, device: 'wasm' }
 * const { params, opt, averages } = initialState(recipeOf({ ...presets.tiny, ...names }), key(0))
 * countElements(params) // => 187347
 * countElements(opt) // => 374696
 * countElements(averages) // => 187347
 * ```
 */
export const initialState = <P>(
  {
    task,
    optimizer,
    decays,
    lossScale,
  }: { readonly task: Beginning<P> } & Pick<Training, 'optimizer' | 'decays' | 'lossScale'>,
  key: Key,
): TrainState<P> => {
  const params = task.init(key)
  const learned = learnedOf(params, task.loss)
  const opt = isLearning(task.loss) ? separately(optimizer).init(learned) : optimizer.init(learned)
  return {
    params,
    opt,
    averages: mapEach(decays, () => mapTree(params, (x) => x)),
    ...(lossScale !== undefined && { lossScale: initialLossScale(lossScale) }),
  }
}
