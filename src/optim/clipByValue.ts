/** Clipping number by number (Mikolov 2012, section 3.2.2), as PyTorch's `clip_grad_value_`. */
import { requirePositive } from '../prelude/options.ts'
import { widened } from '../tensor/precision.ts'
import { mapTree } from '../tensor/tree.ts'
import { stateless, type Stateless, type Transform } from './transform.ts'

/**
 * g → min(max(g, −limit), limit). It changes the direction of the gradients, which `clipByGlobalNorm` keeps. NaN stays NaN.
 *
 * @throws RangeError for a limit that is not above 0
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { clipByValue } from 'fathom/optim'
 *
 * const g = tensor([-7, 0.5, Infinity, NaN])
 * clipByValue(1).update(g, {}, g)[0] // => [-1, 0.5, 1, NaN]
 * ```
 */
export const clipByValue = (limit: number): Transform<Stateless> => {
  requirePositive('clipByValue', 'the limit', limit)
  return stateless((gradients) => mapTree(gradients, (g) => widened(g).maximum(-limit).minimum(limit)))
}
