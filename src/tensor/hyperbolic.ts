/** The hyperbolic functions and their inverses; tanh is a primitive. */
import { elementary, odd } from './elementary.ts'
import { expm1, log1p } from './logarithms.ts'
import type { Tensor } from './tensor.ts'

/** From here on e⁻ˣ is nothing next to eˣ; and a square root of the largest number, beyond which 1 + x² is x². */
const farFrom = (x: Tensor): { readonly exponent: number; readonly square: number } =>
  x.dtype === 'f64' ? { exponent: 20, square: 2 ** 30 } : { exponent: 10, square: 2 ** 14 }

/** ½ eˣ without the overflow of eˣ: the square of e^(x/2). */
const halfExp = (x: Tensor): Tensor => {
  const root = x.mul(0.5).exp()
  return root.mul(0.5).mul(root)
}

/**
 * ½ (eˣ − e⁻ˣ), by eˣ − 1 near 0. Error below 5 ulp.
 *
 * @example
 * ```ts
 * import { sinh, tensor } from 'fathom'
 *
 * sinh(tensor([0, 1, -1000])) // => [0, 1.1752, -Infinity]
 * ```
 */
export const sinh: (x: Tensor) => Tensor = elementary(
  'sinh',
  (x) =>
    odd(x, (a) => {
      const e = expm1(a)
      return a.greater(farFrom(x).exponent).select(halfExp(a), e.add(e.div(e.add(1))).mul(0.5))
    }),
  (x) => cosh(x),
)

/**
 * ½ (eˣ + e⁻ˣ). Error below 4 ulp.
 *
 * @example
 * ```ts
 * import { cosh, tensor } from 'fathom'
 *
 * cosh(tensor([0, 1, -1000])) // => [1, 1.5431, Infinity]
 * ```
 */
export const cosh: (x: Tensor) => Tensor = elementary(
  'cosh',
  (x) => {
    const a = x.abs()
    const e = a.exp()
    return a.greater(farFrom(x).exponent).select(halfExp(a), e.add(x.operand(1).div(e)).mul(0.5))
  },
  (x) => sinh(x),
)

/**
 * The number whose sinh is x: log(1 + (|x| + x² / (1 + √(1 + x²)))) with the sign of x. Error below 4 ulp.
 *
 * @example
 * ```ts
 * import { asinh, tensor } from 'fathom'
 *
 * asinh(tensor([0, 1, -1e10])) // => [0, 0.8814, -23.719]
 * ```
 */
export const asinh = elementary(
  'asinh',
  (x) =>
    odd(x, (a) => {
      const square = a.square()
      const near = log1p(a.add(square.div(square.add(1).sqrt().add(1))))
      return a.greater(farFrom(x).square).select(a.log().add(Math.LN2), near)
    }),
  (x) => x.operand(1).div(x.square().add(1).sqrt()),
)

/**
 * The number ≥ 0 whose cosh is x: log(1 + (t + √(2t + t²))) with t = x − 1; NaN below 1. Error below 4 ulp.
 *
 * @example
 * ```ts
 * import { acosh, tensor } from 'fathom'
 *
 * acosh(tensor([1, 2, 0])) // => [0, 1.317, NaN]
 * ```
 */
export const acosh = elementary(
  'acosh',
  (x) => {
    const t = x.sub(1)
    const near = log1p(t.add(t.mul(2).add(t.square()).sqrt()))
    const found = x.greater(farFrom(x).square).select(x.log().add(Math.LN2), near)
    return x.less(1).select(NaN, found)
  },
  (x) => x.operand(1).div(x.sub(1).mul(x.add(1)).sqrt()),
)

/**
 * The number whose tanh is x: ½ log(1 + 2x / (1 − x)); NaN outside [−1, 1]. Error below 4 ulp.
 *
 * @example
 * ```ts
 * import { atanh, tensor } from 'fathom'
 *
 * atanh(tensor([0.5, -1, 2])) // => [0.5493, -Infinity, NaN]
 * ```
 */
export const atanh = elementary(
  'atanh',
  (x) => odd(x, (a) => log1p(a.mul(2).div(a.neg().add(1))).mul(0.5)),
  (x) => x.operand(1).div(x.square().neg().add(1)),
)
