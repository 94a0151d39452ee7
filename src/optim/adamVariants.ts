/** Two relatives of Adam: with Nesterov's momentum (Dozat 2016), and with a rectified second moment (Liu et al. 2020). */
import { requireNotNegative } from '../prelude/options.ts'
import { ones, zeros } from '../tensor/create.ts'
import { widened } from '../tensor/precision.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { mapTree } from '../tensor/tree.ts'
import type { AdamOptions, AdamState } from './adam.ts'
import { descent } from './descent.ts'
import { adamSettings, average, correctionDType, zerosFor } from './moments.ts'
import { followedBy, zipState, type Transform } from './transform.ts'

/** What {@link nadam} takes; the defaults are PyTorch's. */
export interface NadamOptions extends AdamOptions {
  /** ψ: the momentum rises from β₁/2 to β₁ as β₁·(1 − ½·0.96^(tψ)); default 4e-3. */
  readonly momentumDecay?: number
}

/** Adam's moments with 1 − β₂ᵗ, the steps so far and the product of their momenta. */
export interface NadamState extends Omit<AdamState, 'meanCorrection'> {
  readonly count: Tensor
  readonly product: Tensor
}

/** Adam's moments and corrections, and the steps so far. */
export interface RadamState extends AdamState {
  readonly count: Tensor
}

const momentsAfter = <P>(
  who: string,
  gradients: P,
  state: Pick<AdamState, 'mean' | 'variance' | 'varianceCorrection'>,
  { beta1, beta2 }: { readonly beta1: number; readonly beta2: number },
) => ({
  mean: zipState(who, gradients, state.mean, (g, m) => average(beta1, m, widened(g))),
  variance: zipState(who, gradients, state.variance, (g, v) => average(beta2, v, widened(g).square())),
  varianceCorrection: average(beta2, state.varianceCorrection, 1),
})

/**
 * NAdam: Adam's step with m̂ ← μₜ₊₁m/(1 − ∏ᵢ₌₁ᵗ⁺¹ μᵢ) + (1 − μₜ)g/(1 − ∏ᵢ₌₁ᵗ μᵢ) in the place of the mean, μₜ = β₁·(1 − ½·0.96^(tψ)).
 *
 * PyTorch 1.13 multiplies μₜ twice into the first product; later ones do as the paper and this.
 *
 * @throws RangeError for a beta outside [0, 1)
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { nadam } from 'fathom/optim'
 *
 * const optimizer = nadam({ learningRate: 0.1 })
 * const g = tensor([2, -0.01])
 * optimizer.update(g, optimizer.init(g), g)[0] // => [-0.1056, 0.1056]
 * ```
 */
export const nadam = (options: NadamOptions = {}): Transform<NadamState> => {
  const who = 'nadam'
  const { beta1, beta2, epsilon } = adamSettings(who, options, ['momentumDecay'])
  const { momentumDecay = 4e-3, learningRate } = options
  requireNotNegative(who, 'momentumDecay', momentumDecay)
  const exponent = Math.log(0.96) * momentumDecay
  const momentumAt = (t: Tensor): Tensor => t.operand(1).sub(t.mul(exponent).exp().mul(0.5)).mul(beta1)
  const scaled: Transform<NadamState> = {
    init: (params) => ({
      mean: mapTree(params, zerosFor),
      variance: mapTree(params, zerosFor),
      varianceCorrection: zeros([], correctionDType(params)),
      count: zeros([], correctionDType(params)),
      product: ones([], correctionDType(params)),
    }),
    update: (gradients, state) => {
      const moments = momentsAfter(who, gradients, state, { beta1, beta2 })
      const count = state.count.add(1)
      const [now, next] = [momentumAt(count), momentumAt(count.add(1))]
      const product = state.product.mul(now)
      const one = count.operand(1)
      const ofGradient = one.sub(now).div(one.sub(product))
      const ofMean = next.div(one.sub(product.mul(next)))
      const root = one.div(moments.varianceCorrection.sqrt())
      const ahead = zipState(who, gradients, moments.mean, (g, m) =>
        widened(g)
          .mul(ofGradient.cast(m.dtype))
          .add(m.mul(ofMean.cast(m.dtype))),
      )
      const direction = zipState(who, ahead, moments.variance, (u, v) =>
        u.div(v.sqrt().mul(root.cast(v.dtype)).add(epsilon)),
      )
      return [direction, { ...moments, count, product }]
    },
  }
  return followedBy(scaled, descent(learningRate))
}

/** Up to this a the series has the digits of f64, and from it on the formula has those of f32. */
const switchover = 0.25

/**
 * ρₜ = ρ∞ − 2tβᵗ/(1 − βᵗ), the length of the average at step t, without the cancellation of that formula: with a = −t·ln β it is
 * ρ∞ − 2/(−ln β) + 2/(−ln β)·(1 − a/(eᵃ − 1)), and 1 − a/(eᵃ − 1) = a/2 − a²/12 + a⁴/720 − … for small a.
 */
const lengthAt = (t: Tensor, beta: number): Tensor => {
  const rate = -Math.log(beta)
  const rest = 2 / (1 - beta) - 1 - 2 / rate
  const a = t.mul(rate)
  const small = a.minimum(switchover)
  const square = small.square()
  const tail = square.mul(square.mul(1 / 1_209_600).add(-1 / 30_240)).add(1 / 720)
  const series = small.mul(0.5).add(square.mul(square.mul(tail).add(-1 / 12)))
  const large = a.maximum(switchover)
  const direct = large.operand(1).sub(large.div(large.exp().sub(1)))
  return a
    .less(switchover)
    .select(series, direct)
    .mul(2 / rate)
    .add(rest)
}

/**
 * RAdam: Adam's step times r = √((ρₜ − 4)(ρₜ − 2)ρ∞ / ((ρ∞ − 4)(ρ∞ − 2)ρₜ)) where ρₜ > 5, ρₜ = ρ∞ − 2tβ₂ᵗ/(1 − β₂ᵗ) and ρ∞ = 2/(1 − β₂) − 1; before
 * that the corrected mean alone, as the second moment is known too little. It is a warm-up of its own.
 *
 * @throws RangeError for a beta outside [0, 1), and a β₂ of 0.6 or less, with which no step is ever rectified
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { radam } from 'fathom/optim'
 *
 * const optimizer = radam({ learningRate: 0.1 })
 * const g = tensor([2, -0.01])
 * optimizer.update(g, optimizer.init(g), g)[0] // => [-0.2, 0.001]
 * ```
 */
export const radam = (options: AdamOptions = {}): Transform<RadamState> => {
  const who = 'radam'
  const { beta1, beta2, epsilon } = adamSettings(who, options)
  const longest = 2 / (1 - beta2) - 1
  if (longest <= 4) throw new RangeError(`radam: beta2 is ${beta2}; it must be above 0.6`)
  const scaled: Transform<RadamState> = {
    init: (params) => ({
      mean: mapTree(params, zerosFor),
      variance: mapTree(params, zerosFor),
      meanCorrection: zeros([], correctionDType(params)),
      varianceCorrection: zeros([], correctionDType(params)),
      count: zeros([], correctionDType(params)),
    }),
    update: (gradients, state) => {
      const moments = momentsAfter(who, gradients, state, { beta1, beta2 })
      const meanCorrection = average(beta1, state.meanCorrection, 1)
      const count = state.count.add(1)
      const length = lengthAt(count, beta2)
      const isKnown = length.greater(5)
      const known = isKnown.select(length, 5)
      const rectified = known
        .sub(4)
        .mul(known.sub(2))
        .mul(longest / ((longest - 4) * (longest - 2)))
        .div(known)
        .sqrt()
      const root = moments.varianceCorrection.sqrt()
      const direction = zipState(who, moments.mean, moments.variance, (m, v) => {
        const corrected = m.div(meanCorrection.cast(m.dtype))
        const adaptive = rectified.mul(root).cast(m.dtype).div(v.sqrt().add(epsilon))
        return corrected.mul(isKnown.select(adaptive, 1))
      })
      return [direction, { ...moments, meanCorrection, count }]
    },
  }
  return followedBy(scaled, descent(options.learningRate))
}
