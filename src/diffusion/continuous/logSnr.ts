/**
 * Noise in continuous time: the logarithm of the signal-to-noise ratio λ = ln(a²/s²) as a function of t in [0, 1], from image to noise (Kingma et al. 2021,
 * section 3.1). With variance preserved it says everything, a² = sigmoid(λ) and s² = sigmoid(−λ), and a walk may have as many levels as one likes,
 * wherever one likes.
 */
import { requireKnown, requirePositive } from '../../prelude/options.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { forEach } from '../each.ts'
import { arithmeticOfNumbers, arithmeticOfTensors, type Arithmetic } from './arithmetic.ts'

/** λ(t), falling from image to noise. */
export interface LogSnr {
  /** At one time. */
  readonly at: (t: number) => number
  /** At times of any shape, f32 or f64. */
  readonly of: (t: Tensor) => Tensor
}

/** A formula over numbers, and over tensors. */
const written = (formula: <X>(on: Arithmetic<X>, t: X) => X): LogSnr => ({
  at: (t) => formula(arithmeticOfNumbers, t),
  of: (t) => formula(arithmeticOfTensors, t),
})

/**
 * λ = −ln(e^(10⁻⁴ + 10·t²) − 1): about the linear β of Ho et al. 2020 in the limit of many steps (Kingma et al. 2021, VDM; the name is lucidrains').
 *
 * @example
 * ```ts
 * import { linearLogSnr } from 'fathom/diffusion'
 *
 * const { at } = linearLogSnr()
 * at(0) // => 9.21029
 * at(1) // => -10.000055
 * ```
 */
export const linearLogSnr = (): LogSnr =>
  written((on, t) => {
    const grown = on.add(on.mul(on.times(t, t), 10), 1e-4)
    return on.mul(on.log(on.exponentialMinusOne(grown)), -1)
  })

/** What {@link cosineLogSnr} takes. */
export interface CosineLogSnrOptions {
  /** λ at t = 0; default 15. */
  readonly most?: number
  /** λ at t = 1; default −15. */
  readonly least?: number
}

/**
 * λ = −2·ln tan(u), u on a straight line between the ends: a = cos u and s = sin u (Nichol & Dhariwal 2021, eq. 17; the ends as Hoogeboom et al. 2023 have
 * them). Their offset of 0.008 is `most: 8.77`.
 *
 * @example
 * ```ts
 * import { cosineLogSnr } from 'fathom/diffusion'
 *
 * const { at } = cosineLogSnr()
 * at(0) // => 15
 * at(0.5) // => 0
 * at(1) // => -15
 * ```
 */
export const cosineLogSnr = (options: CosineLogSnrOptions = {}): LogSnr => {
  requireKnown('cosineLogSnr', options, ['most', 'least'])
  const { most = 15, least = -15 } = options
  if (!(most > least && Number.isFinite(most - least)))
    throw new RangeError(`cosineLogSnr: λ falls from ${most} to ${least}; least must be below most, and both finite`)
  // −ln tan u is ln sin v − ln sin u with v = π/2 − u: each is exact at its own end of the way, in f32 too.
  const u = [most, least].map((end) => Math.atan(Math.exp(-end / 2)))
  const v = [most, least].map((end) => Math.atan(Math.exp(end / 2)))
  const [first = NaN, last = NaN] = u
  const [widest = NaN, narrowest = NaN] = v
  return written((on, t) => {
    const rest = on.add(on.mul(t, -1), 1)
    const noise = on.log(on.sine(on.add(on.mul(t, last - first), first)))
    const signal = on.log(on.sine(on.add(on.mul(rest, widest - narrowest), narrowest)))
    return on.mul(on.plus(signal, on.mul(noise, -1)), 2)
  })
}

/**
 * λ + 2·ln(from/to) for pictures with sides of `to` pixels, of a λ that was made for `from`: a large picture holds its content many times over, and only
 * more noise hides it (Hoogeboom et al. 2023, eq. 4).
 *
 * @example
 * ```ts
 * import { cosineLogSnr, shiftedLogSnr } from 'fathom/diffusion'
 *
 * shiftedLogSnr(cosineLogSnr(), { from: 32, to: 64 }).at(0.5) // => -1.386294
 * ```
 */
export const shiftedLogSnr = (logSnr: LogSnr, options: { readonly from: number; readonly to: number }): LogSnr => {
  requireKnown('shiftedLogSnr', options, ['from', 'to'])
  const { from, to } = options
  requirePositive('shiftedLogSnr', 'from', from)
  requirePositive('shiftedLogSnr', 'to', to)
  const shift = 2 * Math.log(from / to)
  return { at: (t) => logSnr.at(t) + shift, of: (t) => logSnr.of(t).add(shift) }
}

/**
 * t·coarse + (1 − t)·fine: in much noise as the one, which decides what a picture is as a whole, and in little noise as the other, for its details
 * (Hoogeboom et al. 2023, eq. 5).
 *
 * @example
 * ```ts
 * import { cosineLogSnr, interpolatedLogSnr, shiftedLogSnr } from 'fathom/diffusion'
 *
 * const cosine = cosineLogSnr()
 * const { at } = interpolatedLogSnr(shiftedLogSnr(cosine, { from: 32, to: 128 }), cosine)
 * at(0) // => 15
 * at(1) // => -17.772589
 * ```
 */
export const interpolatedLogSnr = (coarse: LogSnr, fine: LogSnr): LogSnr => ({
  at: (t) => t * coarse.at(t) + (1 - t) * fine.at(t),
  of: (t) => t.mul(coarse.of(t)).add(t.neg().add(1).mul(fine.of(t))),
})

/** What {@link edmLogSnr} takes. */
export interface EdmLogSnrOptions {
  /** Of ln σ; default −1.2. */
  readonly mean?: number
  /** Of ln σ; default 1.2. */
  readonly deviation?: number
}

/**
 * λ = −2·(mean + deviation·Φ⁻¹(t)): at even times σ = s/a is log-normal, which is how EDM draws the noise of training (Karras et al. 2022, table 1).
 * Beyond 3.7 deviations it is cut off.
 *
 * @example
 * ```ts
 * import { edmLogSnr } from 'fathom/diffusion'
 *
 * edmLogSnr().at(0.5) // => 2.4
 * edmLogSnr({ mean: 0 }).at(0.5) // => 0
 * ```
 */
export const edmLogSnr = (options: EdmLogSnrOptions = {}): LogSnr => {
  requireKnown('edmLogSnr', options, ['mean', 'deviation'])
  const { mean = -1.2, deviation = 1.2 } = options
  if (!Number.isFinite(mean)) throw new RangeError(`edmLogSnr: the mean is ${mean}; it must be finite`)
  requirePositive('edmLogSnr', 'deviation', deviation)
  return written((on, t) => on.add(on.mul(on.normalQuantile(t), -2 * deviation), -2 * mean))
}

/**
 * Any falling function of numbers, from its values at even times: between them it is a straight line. So a λ that was learned walks as the others do.
 *
 * @param values λ at t = 0, 1/n … 1
 * @throws RangeError for values that do not fall
 * @example
 * ```ts
 * import { logSnrOf } from 'fathom/diffusion'
 *
 * logSnrOf([8, 2, -6]).at(0.75) // => -2
 * ```
 */
export const logSnrOf = (values: ArrayLike<number>): LogSnr => {
  const list = Array.from(values)
  const last = list.length - 1
  const rise = list.findIndex((value, i) => !Number.isFinite(value) || (i > 0 && !(value < (list[i - 1] ?? NaN))))
  if (last < 1 || rise >= 0)
    throw new RangeError(
      `logSnrOf: value ${Math.max(rise, 0)} is ${list[rise] ?? 'alone'}; each must be finite and below the one before`,
    )
  return written((on, t) => on.along(list, on.mul(t, last)))
}

/** The level of a λ: a and s, with a² + s² = 1, shaped to meet a batch. @param lambda [N] or [] */
export const levelOfLogSnr = (lambda: Tensor, batch: Tensor): { readonly signal: Tensor; readonly noise: Tensor } => {
  const each = lambda.rank === 0 ? lambda : forEach(lambda, batch)
  return { signal: each.sigmoid().sqrt(), noise: each.neg().sigmoid().sqrt() }
}
