/** What a step is given besides its state and its batch: all that varies from step to step, as buffers, so that one plan serves all steps. */
import { scalar } from '../tensor/create.ts'
import { key, type Key } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { mapEach, type OneOrMore } from './averages.ts'
import type { Training } from './recipe.ts'
import type { Phase } from './task.ts'

/** What a step is given besides state and batch, as buffers. */
export interface StepInputs {
  /** u32 [2], of the seed. */
  readonly key: Key
  /** u32 [], counted from 1. */
  readonly step: Tensor
  readonly learningRate: Tensor
  /** d of average ← d·average + (1 − d)·params, for each average. */
  readonly decays: OneOrMore<Tensor>
  /** Of the phase, f32 [] each; there where the task learns in phases. */
  readonly weights?: Readonly<Record<string, Tensor>>
}

/** What the buffers of a step are of. */
export interface Timed extends Pick<Training, 'seed' | 'rateAt' | 'decays'> {
  /** Its phases, where its loss has any. */
  readonly task?: { readonly loss: unknown }
}

const hasPhases = (loss: unknown): loss is { readonly phaseAt: (step: number) => Phase } =>
  typeof loss === 'object' && loss !== null && 'phaseAt' in loss

const scalarsOf = (values: Readonly<Record<string, number>>): Readonly<Record<string, Tensor>> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, scalar(value)]))

/**
 * The buffers of a step.
 *
 * @param step counted from 1
 * @example
 * ```ts
 * import { givenAt, presets, trainingOf } from 'fathom/train'
 *
 * const names = { folder: null, out: 'runs/sea', preset: 'tiny', seed: 0, device: 'wasm' }
 * const { step, learningRate, decays } = givenAt(trainingOf({ ...presets.tiny, ...names }), 6)
 * step // => 6
 * learningRate // => 0.004
 * decays.length // => 1
 * ```
 */
export const givenAt = ({ seed, rateAt, decays, task }: Timed, step: number): StepInputs => {
  const phase = hasPhases(task?.loss) ? task.loss.phaseAt(step) : undefined
  return {
    key: key(seed),
    step: scalar(step, 'u32'),
    learningRate: scalar(phase?.learningRate ?? rateAt(step)),
    decays: mapEach(decays, (decayAt) => scalar(decayAt(step))),
    ...(phase !== undefined && { weights: scalarsOf(phase.weights) }),
  }
}
