/** How many steps fit into a time, and how often a run may then measure, draw and save. */
import { everies, type Costs, type Every } from './sinkTime.ts'

/** What is known before a run begins. */
export interface Measured {
  /** Seconds that are left. */
  readonly left: number
  /** Seconds of its beginning, in which code is compiled. */
  readonly beginning: number
  readonly secondsPerStep: number
  readonly costs: Costs
}

/** The course of a run whose time is given. */
export interface Fitted extends Readonly<Record<Every, number>> {
  readonly steps: number
  /** Seconds that are not for steps. */
  readonly aside: number
}

/** How often something is done at most, seconds from one time to the next at least, and the part of the time that it may take. */
const bounds: { readonly [K in Every]: readonly [most: number, apart: number, part: number] } = {
  heldOutEvery: [24, 30, 0.05],
  sampleEvery: [8, 120, 0.05],
  saveEvery: [12, 60, 0.04],
}

/** The part of what is left for steps that is theirs: the rest is for a machine that is a little slower than it was. */
const partOfSteps = 0.985

/** How often it is done. */
const times = (every: Every, spare: number, { further }: Costs[Every]): number => {
  const [most, apart, part] = bounds[every]
  const afford = further > 0 ? Math.floor((part * spare) / further) : most
  return Math.max(1, Math.min(most, Math.floor(spare / apart), 1 + afford))
}

/** The steps that fit, and how often the rest is done, with as few seconds as it may take. */
export const fitted = ({ left, beginning, secondsPerStep, costs }: Measured): Fitted => {
  // Everything is done at least once, at the end; a run begins with a checkpoint.
  const once = everies.reduce((sum, every) => sum + costs[every].first, beginning + costs.saveEvery.further)
  const spare = Math.max(0, left - once)
  const counts = everies.map((every) => ({ every, count: times(every, spare, costs[every]) }))
  const again = counts.reduce((sum, { every, count }) => sum + (count - 1) * costs[every].further, 0)
  const steps = Math.max(1, Math.floor((partOfSteps * Math.max(0, spare - again)) / secondsPerStep))
  const [heldOutEvery = steps, sampleEvery = steps, saveEvery = steps] = counts.map(({ count }) =>
    Math.ceil(steps / count),
  )
  return { steps, heldOutEvery, sampleEvery, saveEvery, aside: once + again }
}
