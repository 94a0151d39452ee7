/** Activations: the functions of one number that networks put between their layers. */
import { expectTensor, givenTensor } from './expect.ts'
import { customVjp } from './annotate.ts'
import type { Tensor } from './tensor.ts'

/**
 * max(x, 0), with gradient 0 at 0 as in PyTorch; NaN stays NaN, and lets the gradient pass.
 *
 * @example
 * ```ts
 * import { relu, tensor } from 'fathom'
 *
 * relu(tensor([-2, 0, 3])) // => [0, 0, 3]
 * ```
 */
export const relu = (x: Tensor): Tensor => {
  expectTensor('relu', x)
  return x.less(0).or(x.equal(0)).select(0, x)
}

/**
 * x for x > 0, `slope`·x elsewhere.
 *
 * @example
 * ```ts
 * import { leakyRelu, tensor } from 'fathom'
 *
 * leakyRelu(tensor([-2, 0, 3])) // => [-0.02, 0, 3]
 * ```
 */
export const leakyRelu = (x: Tensor, slope = 0.01): Tensor =>
  givenTensor('leakyRelu', x).greater(0).select(x, x.mul(slope))

/**
 * x · σ(x) (Elfwing et al. 2018); also called swish.
 *
 * @example
 * ```ts
 * import { silu, tensor } from 'fathom'
 *
 * silu(tensor([-100, 0, 1, 100])) // => [0, 0, 0.731, 100]
 * ```
 */
export const silu = (x: Tensor): Tensor => givenTensor('silu', x).mul(x.sigmoid())

/**
 * x · Φ(x), Φ the normal distribution function: the exact GELU (Hendrycks & Gimpel 2016), PyTorch's default.
 *
 * @example
 * ```ts
 * import { gelu, tensor } from 'fathom'
 *
 * gelu(tensor([-100, 0, 1, 100])) // => [0, 0, 0.8413, 100]
 * ```
 */
export const gelu = (x: Tensor): Tensor => givenTensor('gelu', x).mul(x.mul(Math.SQRT1_2).erf().add(1).mul(0.5))

/**
 * The tanh approximation of GELU (Hendrycks & Gimpel 2016, section 2).
 *
 * @example
 * ```ts
 * import { geluTanh, tensor } from 'fathom'
 *
 * geluTanh(tensor([-100, 0, 1, 100])) // => [0, 0, 0.8412, 100]
 * ```
 */
export const geluTanh = (x: Tensor): Tensor =>
  // ½x·(1 + tanh u) with u = √(2/π)·(x + 0.044715x³), written as x·σ(2u): 1 + tanh u would cancel where x is negative.
  givenTensor('geluTanh', x).mul(
    x
      .add(x.pow(3).mul(0.044715))
      .mul(2 * Math.sqrt(2 / Math.PI))
      .sigmoid(),
  )

/**
 * log(1 + eˣ) = max(x, 0) + log(1 + e^−|x|), without overflow. Its derivative is the logistic function, at 0 too, where the parts have
 * kinks.
 *
 * @example
 * ```ts
 * import { softplus, tensor } from 'fathom'
 *
 * softplus(tensor([-1000, 0, 1000])) // => [0, 0.693, 1000]
 * ```
 */
export const softplus: (x: Tensor) => Tensor = customVjp(
  (x: Tensor): Tensor => relu(x).add(x.abs().neg().exp().add(1).log()),
  ([x], g): [Tensor] => [g.mul(x.sigmoid())],
)
