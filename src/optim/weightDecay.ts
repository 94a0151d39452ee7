/** Weight decay as a transform: before the moments it is an L2 penalty, after them AdamW's decoupled decay. */
import { requireNotNegative } from '../prelude/options.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { widened } from '../tensor/precision.ts'
import { zipTrees, type Naming } from '../tensor/tree.ts'
import { stateless, type Stateless, type Transform } from './transform.ts'

const naming: Naming = { operation: 'addDecayedWeights', first: 'the updates', second: 'the parameters' }

/**
 * u → u + λ·p.
 *
 * @param rate λ ≥ 0
 * @param decays which parameters decay, by path and value, or how many times λ each; default all, once. Matrices and filters only:
 * `(_, p) => p.rank > 1`
 * @example
 * ```ts
 * import { tensor, zeros } from 'fathom'
 * import { addDecayedWeights } from 'fathom/optim'
 *
 * const decay = addDecayedWeights(0.1, (_, p) => p.rank > 1)
 * const params = { weight: tensor([[5]]), bias: tensor([5]) }
 * const [updates] = decay.update({ weight: zeros([1, 1]), bias: zeros([1]) }, {}, params)
 * updates.weight // => [[0.5]]
 * updates.bias // => [0]
 * const less = addDecayedWeights(0.1, (path) => (path === 'weight' ? 1 : 0.5))
 * less.update({ weight: zeros([1, 1]), bias: zeros([1]) }, {}, params)[0] // => { bias: [0.25], weight: [[0.5]] }
 * ```
 */
export const addDecayedWeights = (
  rate: number,
  decays: (path: string, parameter: Tensor) => boolean | number = () => true,
): Transform<Stateless> => {
  if (!(rate >= 0 && Number.isFinite(rate)))
    throw new RangeError(`addDecayedWeights: the rate is ${rate}; it must be a finite number ≥ 0`)
  const decayed = (u: Tensor, p: Tensor, times: number): Tensor => widened(u).add(widened(p).mul(rate * times))
  return stateless((updates, params) =>
    rate === 0
      ? updates
      : zipTrees(
          updates,
          params,
          (u, p, path) => {
            const times = Number(decays(path, p))
            requireNotNegative('addDecayedWeights', `the decay of '${path}'`, times)
            return times === 0 ? widened(u) : decayed(u, p, times)
          },
          naming,
        ),
  )
}
