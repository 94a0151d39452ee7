/** What is known of a run before its first step, from its configuration and the plan of its step. */
import { flopsOf, memoryOf } from '../compiler/cost.ts'
import type { Plan } from '../compiler/plan.ts'
import { countElements } from '../tensor/tree.ts'
import type { RunFacts } from './events.ts'
import type { Recipe, TrainState } from './recipe.ts'

/** What the facts are drawn from. */
export interface FactSources {
  readonly recipe: Recipe
  readonly state: TrainState
  /** The plan of the largest part of a step. */
  readonly plan: Plan
  /** The device's description. */
  readonly device: string
  /** One line about the pictures. */
  readonly pictures: string
}

/** The facts of a run. */
export const factsOf = ({ recipe: { config }, state, plan, device, pictures }: FactSources): RunFacts => {
  const parameters = countElements(state.params)
  return {
    config,
    device,
    pictures,
    parameters,
    memory: memoryOf(plan),
    weights: 4 * parameters,
    flops: flopsOf(plan) * config.accumulate,
  }
}
