/** The learning rates of a run, by the settings that name them. */
import { constantWithWarmup, cosineDecay } from '../optim/index.ts'
import type { RunConfig } from './runConfig.ts'

/** Steps over which a rate rises from 0, in a part of a run that has so many. */
const warmupOf = (steps: number): number => Math.min(100, Math.ceil(steps / 100))

/** The rate of step 1, 2, … of so many: after a warm-up the same, or falling to 0 by half a cosine. */
export const rateOf = ({
  rate,
  learningRate,
  steps,
}: Pick<RunConfig, 'rate' | 'learningRate' | 'steps'>): ((step: number) => number) => {
  const warmupSteps = warmupOf(steps)
  return rate === 'cosine'
    ? cosineDecay({ learningRate, warmupSteps, steps: steps + 1 })
    : constantWithWarmup({ learningRate, warmupSteps })
}
