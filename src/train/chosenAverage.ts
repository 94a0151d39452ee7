/** Which of the averages of a run is drawn from: the one that was better when they were last measured on held-out examples. */
import { at } from '../prelude/array.ts'
import { mapEach, widthsOf, type OneOrMore } from './averages.ts'
import type { TrainState } from './recipe.ts'
import type { RunConfig } from './runConfig.ts'
import type { Measured } from './task.ts'

/** The choice, which changes while the run goes on. */
export interface ChosenAverage {
  /** How many there are to choose from. */
  readonly count: number
  /** Which it is, counted from 0. */
  readonly index: () => number
  /** The relative width of it, where they differ by width. */
  readonly width: () => number | undefined
  /** It, of a state. */
  readonly of: <P>(state: TrainState<P>) => P
  /** Chooses the one with the least loss; of equals the first. */
  readonly choose: (losses: readonly number[]) => void
}

/** The choice of a run. @param begin what was chosen when its checkpoint was saved */
export const chosenAverage = ({ ema }: Pick<RunConfig, 'ema'>, begin = 0): ChosenAverage => {
  const widths = widthsOf(ema)
  let chosen = begin
  return {
    count: Math.max(1, widths.length),
    index: () => chosen,
    width: () => widths[chosen],
    of: ({ averages }) => at(averages, chosen),
    choose: (losses) => {
      chosen = losses.reduce((best, loss, i) => (loss < at(losses, best) ? i : best), 0)
    },
  }
}

/** Measures parameters, and an average of them where it is given. */
export type Measure<P> = (params: P, average?: P) => Promise<Measured>

/**
 * Measures parameters and all their averages, and chooses among these.
 *
 * @param loss the name of the loss by which to choose; of each average it is measured as of the parameters
 * @returns of several averages, too: `<loss>Average`, the least; `<loss>Average<width>`, of each; and `averageWidth`, the width of the chosen one
 */
export const measuredWith = async <P>(
  measure: Measure<P>,
  { params, averages }: Pick<TrainState<P>, 'params' | 'averages'>,
  chosen: ChosenAverage,
  { loss, ema }: { readonly loss: string | undefined; readonly ema: RunConfig['ema'] },
): Promise<Measured> => {
  if (chosen.count === 1 || loss === undefined) return measure(params, averages[0])
  const values = await measure(params)
  const losses = await inTurn(mapEach(averages, (average) => async () => (await measure(average))[loss] ?? NaN))
  chosen.choose(losses)
  return {
    ...values,
    [`${loss}Average`]: Math.min(...losses), // NaN where any is
    ...Object.fromEntries(widthsOf(ema).map((width, i) => [`${loss}Average${width}`, at(losses, i)])),
    averageWidth: chosen.width() ?? NaN,
  }
}

/** One after the other: a device holds the activations of one. */
const inTurn = async (tasks: OneOrMore<() => Promise<number>>): Promise<readonly number[]> => {
  const results: number[] = []
  for (const task of tasks) results.push(await task())
  return results
}
