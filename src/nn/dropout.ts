/** Dropout, Srivastava et al. 2014, and its relatives, which drop whole channels or whole branches. */
import { at } from '../prelude/array.ts'
import { ShapeError, typeError } from '../prelude/errors.ts'
import { whatIs } from '../prelude/mistaken.ts'
import { showShape, type Shape } from '../graph/shape.ts'
import { bernoulli } from '../tensor/random.ts'
import { Tensor } from '../tensor/tensor.ts'
import { evaluate, type Module, type NoParams } from './module.ts'

/** One draw for each element of `shapeOf(x)`, which is broadcast over x. */
const dropping = (who: string, rate: number, shapeOf: (x: Tensor) => Shape): Module<NoParams> => {
  if (!(rate >= 0 && rate < 1)) throw new RangeError(`${who}: the rate is ${rate}; it must be at least 0 and below 1`)
  return {
    init: () => ({}),
    apply: (_, x: Tensor, mode = evaluate) => {
      const shape = shapeOf(x)
      if (!mode.train || rate === 0) return x
      if (!(mode.key instanceof Tensor))
        throw typeError(
          `${who}: training draws a mask from the mode's key: give { train: true, key: key(seed) }; the key is ${whatIs(mode.key)}`,
        )
      return bernoulli(mode.key, 1 - rate, shape).select(x.div(1 - rate), 0)
    },
  }
}

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
export const dropout = (rate: number): Module<NoParams> => dropping('dropout', rate, (x) => x.shape)

/**
 * In training, each channel of each image is set to 0 as a whole with probability `rate`, and the others are divided by 1 − rate: pixels next to
 * one another say the same, so that single ones are not missed (Tompson et al. 2015). `[N, …, C] → [N, …, C]`.
 *
 * @param rate in [0, 1)
 * @throws RangeError for another rate; ShapeError for less than two axes
 * @example
 * ```ts
 * import { key, ones } from 'fathom'
 * import { dropout2d } from 'fathom/nn'
 *
 * dropout2d(0.5).apply({}, ones([1, 2, 4]), { train: true, key: key(0) }) // => [[[2, 0, 2, 0], [2, 0, 2, 0]]]
 * ```
 */
export const dropout2d = (rate: number): Module<NoParams> =>
  dropping('dropout2d', rate, ({ shape, rank }) => {
    if (rank < 2) throw new ShapeError(`dropout2d: needs a batch and channels, [N, …, C], got ${showShape(shape)}`)
    return shape.map((n, axis) => (axis === 0 || axis === rank - 1 ? n : 1))
  })

/**
 * Stochastic depth (Huang et al. 2016): in training, each sample is set to 0 as a whole with probability `rate`, and the others are divided by
 * 1 − rate. At the end of a residual branch, `x.add(dropPath(branch(x)))`, it leaves the branch out. `[N, …] → [N, …]`.
 *
 * @param rate in [0, 1)
 * @throws RangeError for another rate; ShapeError for a scalar
 * @example
 * ```ts
 * import { key, ones } from 'fathom'
 * import { dropPath } from 'fathom/nn'
 *
 * dropPath(0.5).apply({}, ones([3, 2]), { train: true, key: key(0) }) // => [[2, 2], [0, 0], [2, 2]]
 * ```
 */
export const dropPath = (rate: number): Module<NoParams> =>
  dropping('dropPath', rate, ({ shape, rank }) => {
    if (rank === 0) throw new ShapeError('dropPath: needs a batch, [N, …], got a scalar')
    return shape.map((_, axis) => (axis === 0 ? at(shape, 0) : 1))
  })
