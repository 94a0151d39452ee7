/** What is known of a run before its first step, from its configuration and the plan of its step. */
import { flopsOf, memoryOf } from '../compiler/cost.ts'
import type { Plan } from '../compiler/plan.ts'
import { countElements } from '../tensor/tree.ts'
import type { RunFacts } from './events.ts'
import type { TrainState } from './recipe.ts'

/** What the facts are drawn from. */
export interface FactSources extends Pick<RunFacts, 'config' | 'words' | 'device' | 'data'> {
  readonly state: TrainState<unknown>
  /** The plan of the largest part of a step. */
  readonly plan: Plan
}

/** The facts of a run. */
export const factsOf = ({ state, plan, ...known }: FactSources): RunFacts => {
  const parameters = countElements(state.params)
  return {
    ...known,
    parameters,
    memory: memoryOf(plan),
    weights: 4 * parameters,
    averages: state.averages.length,
    flops: flopsOf(plan) * known.config.accumulate,
  }
}
