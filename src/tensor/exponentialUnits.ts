/** Activations that bend into an exponential below 0, and relatives of softplus. */
import { givenTensor } from './expect.ts'
import { softplus } from './activations.ts'
import { customVjp } from './annotate.ts'
import type { Tensor } from './tensor.ts'

/** eˣ − 1 for x ≤ 0, as 2t / (1 − t) with t = tanh(x/2): the difference would cancel next to 0. */
const exponentialLess1 = (x: Tensor): Tensor => {
  const t = x.mul(0.5).tanh()
  return t.mul(2).div(t.neg().add(1))
}

/** scale·x for x > 0, scale·α·(e^(rate·x) − 1) elsewhere; its derivative, scale or scale·α·rate·e^(rate·x), has that of the left side at 0. */
const exponentialUnit = (alpha: number, scale: number, rate: number): ((x: Tensor) => Tensor) => {
  const below = (x: Tensor): Tensor => x.greater(0).select(0, x).mul(rate) // nothing of x > 0 enters the exponential: it may be ∞
  return customVjp(
    (x: Tensor): Tensor => x.greater(0).select(x.mul(scale), exponentialLess1(below(x)).mul(scale * alpha)),
    ([x], g): [Tensor] => [
      g.mul(
        x.greater(0).select(
          x.operand(scale),
          below(x)
            .exp()
            .mul(scale * alpha * rate),
        ),
      ),
    ],
  )
}

/**
 * x for x > 0, α·(eˣ − 1) elsewhere (Clevert et al. 2016).
 *
 * @example
 * ```ts
 * import { elu, tensor } from 'fathom'
 *
 * elu(tensor([-100, -1, 0, 3])) // => [-1, -0.632, 0, 3]
 * ```
 */
export const elu = (x: Tensor, alpha = 1): Tensor => exponentialUnit(alpha, 1, 1)(givenTensor('elu', x))

/**
 * λ·x for x > 0, λ·α·(eˣ − 1) elsewhere, with the α and λ that keep mean 0 and variance 1 (Klambauer et al. 2017, eq. 2).
 *
 * @example
 * ```ts
 * import { selu, tensor } from 'fathom'
 *
 * selu(tensor([-100, 0, 1])) // => [-1.7581, 0, 1.0507]
 * ```
 */
export const selu: (x: Tensor) => Tensor = exponentialUnit(1.6732632423543772, 1.0507009873554805, 1)

/**
 * x for x > 0, α·(e^(x/α) − 1) elsewhere: elu with a derivative of 1 at 0, whatever α (Barron 2017).
 *
 * @throws RangeError where α is 0
 * @example
 * ```ts
 * import { celu, tensor } from 'fathom'
 *
 * celu(tensor([-100, -2, 3]), 2) // => [-2, -1.264, 3]
 * ```
 */
export const celu = (x: Tensor, alpha = 1): Tensor => {
  if (alpha === 0) throw new RangeError('celu: alpha is 0; the exponential is of x / alpha: relu is the limit')
  return exponentialUnit(alpha, 1, 1 / alpha)(givenTensor('celu', x))
}

/**
 * x·tanh(log(1 + eˣ)) (Misra 2019).
 *
 * @example
 * ```ts
 * import { mish, tensor } from 'fathom'
 *
 * mish(tensor([-100, 0, 1, 100])) // => [0, 0, 0.865, 100]
 * ```
 */
export const mish = (x: Tensor): Tensor => givenTensor('mish', x).mul(softplus(x).tanh())
