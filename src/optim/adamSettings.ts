/** The settings that Adam shares with its relatives. */
import { requireKnown, requireNotNegative } from '../prelude/options.ts'
import { requireFraction } from './moments.ts'

/** What `adam` takes; the defaults are PyTorch's. */
export interface AdamOptions {
  /** η; leave it out where each `update` is given one. */
  readonly learningRate?: number
  /** β₁, the decay of the mean gradient; default 0.9. */
  readonly beta1?: number
  /** β₂, the decay of the mean squared gradient; default 0.999. */
  readonly beta2?: number
  /** ε, added to the root of the second moment; default 1e-8. */
  readonly epsilon?: number
}

/**
 * The settings of Adam and its relatives, checked.
 *
 * @param more names of options that the relative has beside Adam's
 */
export const adamSettings = (
  who: string,
  options: AdamOptions,
  more: readonly string[] = [],
): Required<Omit<AdamOptions, 'learningRate'>> => {
  requireKnown(who, options, ['learningRate', 'beta1', 'beta2', 'epsilon', ...more])
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options
  requireFraction(who, 'beta1', beta1)
  requireFraction(who, 'beta2', beta2)
  requireNotNegative(who, 'epsilon', epsilon)
  return { beta1, beta2, epsilon }
}
