/** Initializers that keep the size of what flows through a layer, forwards and backwards, or the angles in it. */
import { at, product } from '../../prelude/array.ts'
import { ShapeError } from '../../prelude/errors.ts'
import { showShape, type Shape } from '../../graph/shape.ts'
import { iota } from '../../tensor/create.ts'
import { qr } from '../../tensor/linalg/index.ts'
import { normal as drawNormal, truncatedNormal as drawTruncated } from '../../tensor/random.ts'
import { diagonal } from '../../tensor/triangles.ts'
import { normal, uniform, type Initializer } from '../init.ts'

/**
 * Uniform numbers of variance gain² · 2 / (fanIn + fanOut): the mean of what keeps the variance forwards and what keeps it backwards (Glorot &
 * Bengio 2010, eq. 16).
 *
 * @param fanIn the number of inputs that meet in one output
 * @param fanOut the number of outputs that one input goes to
 * @param gain 1 for linear layers and σ, 5/3 for tanh, √2 for ReLU
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { xavierUniform } from 'fathom/nn/init'
 *
 * const weight = xavierUniform([100, 200], 100, 200)(key(0))
 * weight.abs().max() // => 0.141
 * ```
 */
export const xavierUniform = (shape: Shape, fanIn: number, fanOut: number, gain = 1): Initializer =>
  uniform(shape, gain * Math.sqrt(6 / (fanIn + fanOut)))

/**
 * Normal numbers of the variance of {@link xavierUniform} (Glorot & Bengio 2010, eq. 12).
 *
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { xavierNormal } from 'fathom/nn/init'
 *
 * const weight = xavierNormal([100, 200], 100, 200)(key(0))
 * weight.square().mean() // => 0.0068
 * ```
 */
export const xavierNormal = (shape: Shape, fanIn: number, fanOut: number, gain = 1): Initializer =>
  normal(shape, gain * Math.sqrt(2 / (fanIn + fanOut)))

/**
 * Normal numbers of variance gain² / fanIn, which keeps the size of activations forwards (He et al. 2015, eq. 10).
 *
 * @param fanIn the number of inputs that meet in one output
 * @param gain √2 for ReLU (default), 1 for linear layers
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { kaimingNormal } from 'fathom/nn/init'
 *
 * const weight = kaimingNormal([50, 400], 50)(key(0))
 * weight.square().mean() // => 0.041
 * ```
 */
export const kaimingNormal = (shape: Shape, fanIn: number, gain = Math.SQRT2): Initializer =>
  normal(shape, gain / Math.sqrt(fanIn))

/**
 * Normal numbers without those beyond so many deviations, as vision transformers begin.
 *
 * @param deviation that of the normal distribution before it is cut; of ±2 deviations, 0.88 of it is left
 * @param bound in deviations, default 2
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { truncatedNormal } from 'fathom/nn/init'
 *
 * const weight = truncatedNormal([100, 100], 0.02)(key(0))
 * weight.abs().max() // => 0.0400
 * ```
 */
export const truncatedNormal =
  (shape: Shape, deviation = 1, bound = 2): Initializer =>
  (key) =>
    drawTruncated(key, shape, { low: -bound, high: bound }).mul(deviation)

/**
 * A random matrix of orthonormal columns, or of orthonormal rows where there are more columns, which keeps lengths and angles (Saxe et al.
 * 2014): Q of a normal matrix, each column with the sign that makes R's diagonal positive, so that all such matrices are equally likely
 * (Mezzadri 2007). The last axis counts as the columns, all others together as the rows. It is computed a column at a time.
 *
 * @throws ShapeError for less than two axes
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { orthogonal } from 'fathom/nn/init'
 *
 * const weight = orthogonal([4, 2])(key(0))
 * weight.transpose().matmul(weight) // => [[1, 0.000], [0.000, 1]]
 * ```
 */
export const orthogonal = (shape: Shape, gain = 1): Initializer => {
  if (shape.length < 2)
    throw new ShapeError(
      `orthogonal: ${showShape(shape)} is no matrix; give at least two axes, the last for the outputs`,
    )
  const columns = at(shape, shape.length - 1)
  const rows = product(shape.slice(0, -1))
  return (key) => {
    const { q, r } = qr(drawNormal(key, [Math.max(rows, columns), Math.min(rows, columns)]))
    const d = diagonal(r)
    const signed = q.mul(d.less(0).select(d.operand(-1), 1))
    return (rows < columns ? signed.transpose() : signed).mul(gain).reshape(shape)
  }
}

/**
 * Ones on the diagonal of a matrix, zeros elsewhere: a linear layer that changes nothing.
 *
 * @param shape [inputs, outputs]
 * @throws ShapeError for what is no matrix
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { identity } from 'fathom/nn/init'
 *
 * identity([2, 3])(key(0)) // => [[1, 0, 0], [0, 1, 0]]
 * ```
 */
export const identity = (shape: Shape): Initializer => {
  if (shape.length !== 2) throw new ShapeError(`identity: ${showShape(shape)} is no matrix [inputs, outputs]`)
  return () => iota(shape, 0).equal(iota(shape, 1)).cast('f32')
}
