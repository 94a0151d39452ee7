/** Exponentials and logarithms to other bases, and near 1, where the primitives would lose digits. */
import { elementary, elementaryPair, polynomial, termsFor, timesPower } from './elementary.ts'
import type { Tensor } from './tensor.ts'

/** (artanh z) / z = 1 + z²/3 + z⁴/5 + …, of z² ≤ 1/9 (Abramowitz & Stegun 4.6.33). */
const artanhSeries = (square: Tensor): Tensor =>
  polynomial(
    square,
    termsFor(square, { single: 8, double: 17 }, (k) => 1 / (2 * k + 1)),
  )

/** 1, 1/2, 1/6, …: (eˣ − 1) / x for |x| ≤ ½. */
const inverseFactorials: readonly number[] = Array.from({ length: 16 }).reduce<readonly number[]>(
  (all, _, k) => (k === 0 ? [1] : [...all, (all[k - 1] ?? 1) / (k + 1)]),
  [],
)

/**
 * log(1 + x), right near 0, where log(1 + x) would see nothing of x: 2 artanh(x / (2 + x)) on [−½, 1]. Error below 3 ulp.
 *
 * @example
 * ```ts
 * import { log1p, tensor } from 'fathom'
 *
 * log1p(tensor([1e-10, 1, -1, -2])) // => [1e-10, 0.6931, -Infinity, NaN]
 * ```
 */
export const log1p = elementary(
  'log1p',
  (x) => {
    const z = x.div(x.add(2))
    const near = z.mul(2).mul(artanhSeries(z.square()))
    return x.less(-0.5).or(x.greater(1)).select(x.add(1).log(), near)
  },
  (x) => x.operand(1).div(x.add(1)),
)

/**
 * eˣ − 1, right near 0, where eˣ is 1: its series on [−½, ½]. Error below 3 ulp.
 *
 * @example
 * ```ts
 * import { expm1, tensor } from 'fathom'
 *
 * expm1(tensor([1e-10, 1, -Infinity])) // => [1e-10, 1.718, -1]
 * ```
 */
export const expm1 = elementary(
  'expm1',
  (x) => {
    const terms = termsFor(x, { single: 9, double: 16 }, (k) => inverseFactorials[k] ?? 0)
    return x
      .abs()
      .greater(0.5)
      .select(x.exp().sub(1), x.mul(polynomial(x, terms)))
  },
  (x) => x.exp(),
)

/** Binary digits of whole exponents; a bound beyond which 2ᵏ is 0 or ∞; the least and the largest k with a 2ᵏ. */
const exponentsOf = ({ dtype }: Tensor): { readonly [K in 'digits' | 'bound' | 'least' | 'largest']: number } =>
  dtype === 'f64'
    ? { digits: 11, bound: 2000, least: -1074, largest: 1023 }
    : { digits: 9, bound: 300, least: -149, largest: 127 }

/**
 * 2ˣ, exact where x is whole: 2^⌊x⌋ · e^(ln 2 · (x − ⌊x⌋)). Error below 2 ulp.
 *
 * @example
 * ```ts
 * import { exp2, tensor } from 'fathom'
 *
 * exp2(tensor([10, 0.5, -1])) // => [1024, 1.414, 0.5]
 * ```
 */
export const exp2: (x: Tensor) => Tensor = elementary(
  'exp2',
  (x) => {
    const { digits, bound } = exponentsOf(x)
    const held = x.clamp(-bound, bound)
    const k = held.floor()
    return timesPower(held.sub(k).mul(Math.LN2).exp(), 2, k, digits)
  },
  (x) => exp2(x).mul(Math.LN2),
)

/** The logarithm to a base: log x / log b, and the whole number itself where x is that power of b. */
const logTo = (x: Tensor, base: number, digits: number, low: number, high: number): Tensor => {
  const y = x.log().div(Math.log(base))
  const k = y.clamp(low, high).round()
  return timesPower(x.operand(1), base, k, digits).equal(x).select(k, y)
}

/**
 * The logarithm to the base 2, exact for powers of 2. Error below 2 ulp.
 *
 * @example
 * ```ts
 * import { log2, tensor } from 'fathom'
 *
 * log2(tensor([8, 0.25, 10, 0])) // => [3, -2, 3.3219, -Infinity]
 * ```
 */
export const log2 = elementary(
  'log2',
  (x) => {
    const { digits, least, largest } = exponentsOf(x)
    return logTo(x, 2, digits, least, largest)
  },
  (x) => x.operand(1).div(x.mul(Math.LN2)),
)

/**
 * The logarithm to the base 10, exact for the powers of 10 that the dtype holds exactly. Error below 2 ulp.
 *
 * @example
 * ```ts
 * import { log10, tensor } from 'fathom'
 *
 * log10(tensor([1000, 0.1, 5, 0])) // => [3, -1, 0.699, -Infinity]
 * ```
 */
export const log10 = elementary(
  'log10',
  // 10²² is the last power of ten among the doubles, 10¹⁰ among the singles.
  (x) => (x.dtype === 'f64' ? logTo(x, 10, 5, 0, 22) : logTo(x, 10, 4, 0, 10)),
  (x) => x.operand(1).div(x.mul(Math.LN10)),
)

/**
 * log(eˣ + eʸ) = max(x, y) + log(1 + e^−|x − y|), without overflow.
 *
 * @example
 * ```ts
 * import { logaddexp, tensor } from 'fathom'
 *
 * logaddexp(tensor([0, 1000, -Infinity]), tensor([0, 1000, -Infinity])) // => [0.6931, 1000.693, -Infinity]
 * ```
 */
export const logaddexp = elementaryPair(
  'logaddexp',
  (x, y) => {
    const largest = x.maximum(y)
    const smaller = x.sub(y).abs().neg().exp()
    return largest
      .abs()
      .equal(Infinity)
      .select(largest, largest.add(log1p(smaller))) // ∞ − ∞ is no number
  },
  (x, y, g) => [g.mul(x.sub(y).sigmoid()), g.mul(y.sub(x).sigmoid())],
)

/**
 * log σ(x) = min(x, 0) − log(1 + e^−|x|), without overflow. Error below 3 ulp.
 *
 * @example
 * ```ts
 * import { logSigmoid, tensor } from 'fathom'
 *
 * logSigmoid(tensor([-1000, 0, 1000])) // => [-1000, -0.693, 0]
 * ```
 */
export const logSigmoid = elementary(
  'logSigmoid',
  (x) => x.greater(0).select(0, x).sub(log1p(x.abs().neg().exp())),
  (x) => x.neg().sigmoid(),
)
