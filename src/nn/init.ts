/** How parameters begin. An initializer is a function from a key to a tensor. */
import { ones as onesOf, zeros as zerosOf } from '../tensor/create.ts'
import { normal as drawNormal, uniform as drawUniform, type Key } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Shape } from '../graph/shape.ts'

/** Makes the first value of one parameter. */
export type Initializer = (key: Key) => Tensor

/**
 * Zeros.
 *
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { zeros } from 'fathom/nn/init'
 *
 * zeros([3])(key(0)) // => [0, 0, 0]
 * ```
 */
export const zeros =
  (shape: Shape): Initializer =>
  () =>
    zerosOf(shape)

/**
 * Ones.
 *
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { ones } from 'fathom/nn/init'
 *
 * ones([3])(key(0)) // => [1, 1, 1]
 * ```
 */
export const ones =
  (shape: Shape): Initializer =>
  () =>
    onesOf(shape)

/**
 * Normal numbers of mean 0 and the given standard deviation.
 *
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { normal } from 'fathom/nn/init'
 *
 * const weight = normal([100, 100], 0.02)(key(0))
 * weight.square().mean().sqrt() // => 0.020
 * ```
 */
export const normal =
  (shape: Shape, deviation = 1): Initializer =>
  (key) =>
    drawNormal(key, shape).mul(deviation)

/**
 * Uniform numbers in [−bound, bound).
 *
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { uniform } from 'fathom/nn/init'
 *
 * const weight = await device.read(uniform([1000], 0.5)(key(0)))
 * weight.every((w) => w >= -0.5 && w < 0.5) // => true
 * ```
 */
export const uniform =
  (shape: Shape, bound: number): Initializer =>
  (key) =>
    drawUniform(key, shape, { low: -bound, high: bound })

/**
 * PyTorch's default for linear and convolutional layers, weights and biases alike: U(−1/√fanIn, 1/√fanIn), which is Kaiming's uniform
 * (He et al. 2015, eq. 10) for a leaky ReLU of slope √5: bound = √(6 / ((1 + 5) · fanIn)).
 *
 * @param fanIn the number of inputs that meet in one output
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { kaimingUniform } from 'fathom/nn/init'
 *
 * const weight = kaimingUniform([16, 1000], 16)(key(0))
 * weight.abs().max() // => 0.250
 * ```
 */
export const kaimingUniform = (shape: Shape, fanIn: number): Initializer => uniform(shape, 1 / Math.sqrt(fanIn))
