/** Curves along which σ falls from noise to image: where a walk takes its small steps (Karras et al. 2022, section 3 and appendix D.1). */
import { range } from '../prelude/array.ts'
import { requireKnown, requirePositive, requireWhole } from '../prelude/options.ts'

/** A curve by name. `lu` is `exponential` by its other name: even steps in λ (Lu et al. 2022b). */
export type SigmaCurve = 'karras' | 'exponential' | 'lu' | 'beta'

/** Between which σ a curve runs. */
export interface SigmaOptions {
  readonly steps: number
  /** The least σ before the image. */
  readonly sigmaMin: number
  /** The σ to start from. */
  readonly sigmaMax: number
  /** ρ of `karras`: the larger, the shorter are the steps near the image; default 7. */
  readonly rho?: number
}

/** ∫₀ˣ t^(α−1)(1 − t)^(α−1) dt for x ≤ ½, by the binomial series, whose terms halve at least. */
const incompleteBeta = (x: number, alpha: number): number => {
  const terms = range(60).reduce<{ readonly sum: number; readonly factor: number }>(
    ({ sum, factor }, k) => ({ sum: sum + factor / (alpha + k), factor: (factor * (k + 1 - alpha) * x) / (k + 1) }),
    { sum: 0, factor: 1 },
  )
  return x ** alpha * terms.sum
}

/** The quantile of the symmetric Beta(α, α): bisection below ½, and its mirror image above. */
const betaQuantile = (p: number, alpha: number): number => {
  if (p > 0.5) return 1 - betaQuantile(1 - p, alpha)
  const target = 2 * p * incompleteBeta(0.5, alpha)
  const [low, high] = range(60).reduce<readonly [number, number]>(
    ([low, high]) => {
      const middle = (low + high) / 2
      return incompleteBeta(middle, alpha) < target ? [middle, high] : [low, middle]
    },
    [0, 0.5],
  )
  return (low + high) / 2
}

/** diffusers' α = β (Lee et al. 2024, "beta sampling"). */
const betaShape = 0.6

const exponential = (share: number, { sigmaMin, sigmaMax }: SigmaOptions): number =>
  Math.exp(Math.log(sigmaMax) + share * (Math.log(sigmaMin) - Math.log(sigmaMax)))

/** σ at a share of the way from the largest to the least. */
const curves: { readonly [K in SigmaCurve]: (share: number, options: SigmaOptions) => number } = {
  karras: (share, { sigmaMin, sigmaMax, rho = 7 }) => {
    const [from, to] = [sigmaMax ** (1 / rho), sigmaMin ** (1 / rho)]
    return (from + share * (to - from)) ** rho
  },
  exponential,
  lu: exponential,
  beta: (share, { sigmaMin, sigmaMax }) => sigmaMin + betaQuantile(1 - share, betaShape) * (sigmaMax - sigmaMin),
}

/**
 * Whether there is a curve of this name.
 *
 * @example
 * ```ts
 * import { isSigmaCurve } from 'fathom/diffusion'
 *
 * isSigmaCurve('karras') // => true
 * ```
 */
export const isSigmaCurve = (name: string): name is SigmaCurve => Object.hasOwn(curves, name)

/** The names of the curves. */
export const sigmaCurves: readonly string[] = Object.keys(curves)

/**
 * The σ of a walk along a curve, without the image.
 *
 * @throws RangeError for a curve that there is not, and for ends that do not fall
 * @example
 * ```ts
 * import { sigmasAlong } from 'fathom/diffusion'
 *
 * sigmasAlong('exponential', { steps: 3, sigmaMin: 0.01, sigmaMax: 100 }) // => [100, 1, 0.01]
 * sigmasAlong('karras', { steps: 3, sigmaMin: 0.002, sigmaMax: 80 }) // => [80, 2.5152, 0.002]
 * ```
 */
export const sigmasAlong = (curve: SigmaCurve, options: SigmaOptions): readonly number[] => {
  requireKnown('sigmasAlong', options, ['steps', 'sigmaMin', 'sigmaMax', 'rho'])
  if (!isSigmaCurve(curve))
    throw new RangeError(`sigmasAlong: the curve is '${String(curve)}'; it must be ${sigmaCurves.join(', ')}`)
  const { steps, sigmaMin, sigmaMax, rho = 7 } = options
  requireWhole('sigmasAlong', 'steps', steps, 1)
  for (const [name, value] of Object.entries({ sigmaMin, sigmaMax, rho })) requirePositive('sigmasAlong', name, value)
  if (!(sigmaMin < sigmaMax))
    throw new RangeError(`sigmasAlong: σ falls from ${sigmaMax} to ${sigmaMin}; sigmaMin must be below sigmaMax`)
  return range(steps).map((i) => curves[curve](i / Math.max(1, steps - 1), options))
}
