/** What optimizers with running averages of gradients share. */
import type { DType } from '../graph/dtype.ts'
import { requireKnown, requireNotNegative } from '../prelude/options.ts'
import { zerosLike } from '../tensor/create.ts'
import { widened } from '../tensor/precision.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { leaves } from '../tensor/tree.ts'

/** Refuses a decay that forgets nothing, or is none. */
export const requireFraction = (who: string, name: string, beta: number): void => {
  if (!(beta >= 0 && beta < 1)) throw new RangeError(`${who}: ${name} is ${beta}; it must be in [0, 1)`)
}

/** What Adam and its relatives take for their moments. */
interface AdamSettings {
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
}

/**
 * The settings of Adam and its relatives, checked; the defaults are PyTorch's.
 *
 * @param more names of options that the relative has beside Adam's
 */
export const adamSettings = (
  who: string,
  options: Partial<AdamSettings>,
  more: readonly string[] = [],
): AdamSettings => {
  requireKnown(who, options, ['learningRate', 'beta1', 'beta2', 'epsilon', ...more])
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options
  requireFraction(who, 'beta1', beta1)
  requireFraction(who, 'beta2', beta2)
  requireNotNegative(who, 'epsilon', epsilon)
  return { beta1, beta2, epsilon }
}

/** A moment before the first step: zeros, f32 for f16 parameters. */
export const zerosFor = (p: Tensor): Tensor => zerosLike(widened(p))

/** β·old + (1 − β)·now. */
export const average = (beta: number, old: Tensor, now: Tensor | number): Tensor =>
  old.mul(beta).add(typeof now === 'number' ? now * (1 - beta) : now.mul(1 - beta))

/** Of the scalars in a state: f64 when a parameter is, else f32. */
export const correctionDType = (params: unknown): DType =>
  leaves(params).some((p) => p.dtype === 'f64') ? 'f64' : 'f32'
