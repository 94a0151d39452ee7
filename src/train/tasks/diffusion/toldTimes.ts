/** What the network of a run is told of times: their numbers t, or their shares t/T of the schedule. */
import type { DenoiserInput } from '../../../models/family.ts'
import { takesShares, type ModelConfig } from '../../../models/registry.ts'
import type { Module } from '../../../nn/index.ts'

/** The settings that say it. */
interface TimedConfig {
  readonly model: ModelConfig
  readonly timesteps: number
}

/** A network that is given t, and tells its layers what they take. */
export const toldTimes = <P, Out>(
  { model, timesteps }: TimedConfig,
  { init, apply }: Module<P, DenoiserInput, Out>,
): Module<P, DenoiserInput, Out> =>
  takesShares(model)
    ? {
        init,
        apply: (params, input, mode) => apply(params, { ...input, t: input.t.cast('f32').div(timesteps) }, mode),
      }
    : { init, apply }
