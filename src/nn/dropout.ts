/** Dropout, Srivastava et al. 2014. */
import { typeError } from '../prelude/errors.ts'
import { whatIs } from '../prelude/mistaken.ts'
import { bernoulli } from '../tensor/random.ts'
import { Tensor } from '../tensor/tensor.ts'
import { evaluate, type Module, type NoParams } from './module.ts'

/**
 * In training, each element is set to 0 with probability `rate`, and the others are divided by 1 − rate, so that the mean stays; in
 * evaluation nothing happens.
 *
 * @param rate in [0, 1)
 * @throws RangeError for another rate
 * @example
 * ```ts
 * import { key, ones } from 'fathom'
 * import { dropout } from 'fathom/nn'
 *
 * const layer = dropout(0.5)
 * layer.apply({}, ones([6])) // => [1, 1, 1, 1, 1, 1]
 * layer.apply({}, ones([6]), { train: true, key: key(0) }) // => [2, 0, 2, 0, 0, 0]
 * ```
 */
export const dropout = (rate: number): Module<NoParams> => {
  if (!(rate >= 0 && rate < 1)) throw new RangeError(`dropout: the rate is ${rate}; it must be at least 0 and below 1`)
  return {
    init: () => ({}),
    apply: (_, x: Tensor, mode = evaluate) => {
      if (!mode.train || rate === 0) return x
      if (!(mode.key instanceof Tensor))
        throw typeError(
          `dropout: training draws a mask from the mode's key: give { train: true, key: key(seed) }; the key is ${whatIs(mode.key)}`,
        )
      return bernoulli(mode.key, 1 - rate, x.shape).select(x.div(1 - rate), 0)
    },
  }
}
