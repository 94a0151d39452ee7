/** A learning rate that falls when a measured value gets no better; PyTorch's `ReduceLROnPlateau`, as a pure function of its state. */
import { requireKnown, requireNotNegative, requireWhole } from '../prelude/options.ts'

/** What {@link reduceOnPlateau} takes; the defaults are PyTorch's. */
export interface PlateauOptions {
  /** The rate to begin with. */
  readonly learningRate: number
  /** What the rate is multiplied by, in (0, 1); default 0.1. */
  readonly factor?: number
  /** Values in a row that may be no better; default 10. */
  readonly patience?: number
  /** By what share of the best a value must be better, to count; default 1e-4. */
  readonly threshold?: number
  /** Values after a fall in which none is counted; default 0. */
  readonly cooldown?: number
  /** The rate does not fall below it; default 0. */
  readonly minLearningRate?: number
  /** Whether a loss is measured, which is better when it is smaller, or a score; default `min`. */
  readonly mode?: 'min' | 'max'
}

/** Where a rate stands. */
export interface PlateauState {
  /** The rate now. */
  readonly rate: number
  /** The best value so far; ±∞ before the first. */
  readonly best: number
  /** Values in a row that were no better. */
  readonly bad: number
  /** Values that are still not counted. */
  readonly cooling: number
}

/** A rate that follows measured values. */
export interface Plateau {
  readonly initial: PlateauState
  /** The state after another value; NaN counts as no better. */
  readonly after: (state: PlateauState, value: number) => PlateauState
}

/** Changes of the rate that are smaller are not made, as in PyTorch. */
const leastChange = 1e-8

const optionNames: readonly (keyof PlateauOptions)[] = [
  'learningRate',
  'factor',
  'patience',
  'threshold',
  'cooldown',
  'minLearningRate',
  'mode',
]

const requireOptions = (options: PlateauOptions): Required<PlateauOptions> => {
  const who = 'reduceOnPlateau'
  requireKnown(who, options, optionNames)
  const usual = { factor: 0.1, patience: 10, threshold: 1e-4, cooldown: 0, minLearningRate: 0, mode: 'min' } as const
  const all = { ...usual, ...options }
  requireNotNegative(who, 'learningRate', all.learningRate)
  if (!['min', 'max'].includes(all.mode)) throw new RangeError(`${who}: mode must be min or max, got '${all.mode}'`)
  requireWhole(who, 'patience', all.patience)
  requireWhole(who, 'cooldown', all.cooldown)
  requireNotNegative(who, 'threshold', all.threshold)
  requireNotNegative(who, 'minLearningRate', all.minLearningRate)
  if (!(all.factor > 0 && all.factor < 1))
    throw new RangeError(`${who}: factor is ${all.factor}; it must be above 0 and below 1`)
  return all
}

/**
 * The rate falls to a tenth when eleven values in a row were no better than the best before them.
 *
 * @throws RangeError for a factor outside (0, 1)
 * @example
 * ```ts
 * import { reduceOnPlateau } from 'fathom/optim'
 *
 * const plateau = reduceOnPlateau({ learningRate: 1, factor: 0.5, patience: 1 })
 * const after = (losses: readonly number[]) => losses.reduce(plateau.after, plateau.initial).rate
 * after([3, 2, 2]) // => 1
 * after([3, 2, 2, 2]) // => 0.5
 * after([3, 2, 2, 1, 1]) // => 1
 * ```
 */
export const reduceOnPlateau = (options: PlateauOptions): Plateau => {
  const { learningRate, factor, patience, threshold, cooldown, minLearningRate, mode } = requireOptions(options)
  const isBetter = (value: number, best: number): boolean =>
    mode === 'min' ? value < best * (1 - threshold) : value > best * (1 + threshold)
  const fallen = (rate: number): number => {
    const next = Math.max(rate * factor, minLearningRate)
    return rate - next > leastChange ? next : rate
  }
  return {
    initial: { rate: learningRate, best: mode === 'min' ? Infinity : -Infinity, bad: 0, cooling: 0 },
    after: ({ rate, best, bad, cooling }, value) => {
      const better = isBetter(value, best)
      const inRow = better || cooling > 0 ? 0 : bad + 1
      const now = { best: better ? value : best, cooling: Math.max(0, cooling - 1) }
      return inRow > patience ? { ...now, rate: fallen(rate), bad: 0, cooling: cooldown } : { ...now, rate, bad: inRow }
    },
  }
}
