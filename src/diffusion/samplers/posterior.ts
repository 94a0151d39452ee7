/**
 * Steps between any two levels through the posterior q(x′ | x, x₀): DDPM (Ho et al. 2020, eqs. 6 and 7) and DDIM (Song et al. 2021, eq. 12) are two
 * shares of one noise.
 *
 * With ρ = (a/s)/(a′/s′), the share of the signal-to-noise ratio's root that was there before the step, on any levels
 *
 *     q(x′ | x, x₀) = N(a′(1 − ρ²)·x₀ + ρ·(s′/s)·x,  s′²(1 − ρ²)).
 */
import { at } from '../../prelude/array.ts'
import { requireKnown, requireShare } from '../../prelude/options.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { expectLevels } from '../expect.ts'
import { stepsOf, type Levels } from '../levels.ts'
import type { Sampler } from '../sampler.ts'
import { pointsOf, type Point } from '../point.ts'
import { gatherTable } from '../table.ts'
import { sum, type Form, type Terms } from './form.ts'
import { oneStep } from './multistep.ts'

/** Where steps end, if not at the level where the next one begins; what {@link ddimBetween} and {@link ddpmBetween} take. */
export interface Ends {
  /**
   * A signal and a noise for each step; default those of the next level. diffusers goes T/N times back from each time, whatever the next time is, and
   * can end at the first noise instead of at the image (`set_alpha_to_one`).
   */
  readonly ends?: Pick<Levels, 'signal' | 'noise'>
}

/** What {@link ddimBetween} takes. */
export interface DdimBetweenOptions extends Ends {
  /** η in [0, 1], the share of the noise of ancestral sampling; default 0. */
  readonly eta?: number
}

/** What {@link ddpmBetween} takes. */
export interface DdpmBetweenOptions extends Ends {
  /** The variance of the noise: `small` is the posterior's (default), `large` that of x given x′, `learned` where between them the network says. */
  readonly variance?: 'small' | 'large' | 'learned'
}

/** The variances of ancestral sampling. */
export const variances: readonly string[] = ['small', 'large', 'learned']

const endsOf = (who: string, levels: Levels, ends: Ends['ends']): readonly Point[] => {
  const steps = stepsOf(levels)
  if (ends === undefined) return pointsOf(levels).slice(1)
  if (ends.signal.length !== steps || ends.noise.length !== steps)
    throw new RangeError(
      `${who}: there are ends with ${ends.signal.length} signals and ${ends.noise.length} noises for ${steps} steps; give one of each for every step`,
    )
  return pointsOf(ends)
}

/** 1 − ρ²: how much of the variance at x′ is not known from x. */
const unknownShare = (from: Point, to: Point): number => {
  const rho = (from.a * to.s) / (to.a * from.s)
  return Math.max(0, 1 - rho * rho)
}

/** x′ = a′·x̂₀ + √(s′² − σ²)·ε̂ + σ·z, σ = η·s′·√(1 − ρ²) (Song 2021, eqs. 12 and 16). */
const ddimForm = ({ x0, epsilon, z }: Terms, from: Point, to: Point, eta: number): Form => {
  const share = unknownShare(from, to)
  return sum(
    [to.a, x0],
    [to.s * Math.sqrt(Math.max(0, 1 - eta * eta * share)), epsilon],
    [eta * to.s * Math.sqrt(share), z],
  )
}

/** x′ = a′(1 − ρ²)·x̂₀ + ρ(s′/s)·x + σ·z, σ² of the posterior or (1 − ρ²)·s² (Ho 2020, eqs. 7 and 11, section 3.2). */
export const ddpmForm = ({ x0, x, z }: Terms, from: Point, to: Point, variance: 'small' | 'large'): Form => {
  const share = unknownShare(from, to)
  const deviation = variance === 'small' ? to.s : from.s
  return sum(
    [to.a * share, x0],
    [((from.a * to.s) / (to.a * from.s)) * (to.s / from.s), x],
    [to.s === 0 ? 0 : deviation * Math.sqrt(share), z], // at the image no noise is added
  )
}

/**
 * Ancestral steps whose variance the network says:
 *
 *     log σ² = f·log(s²(1 − ρ²)) + (1 − f)·log(s′²(1 − ρ²))         Nichol & Dhariwal 2021, eq. 15, on any levels
 *
 * so that σ = √(1 − ρ²)·s′·(s/s′)^f.
 */
const learnedSteps = (begins: readonly Point[], ends: readonly Point[], small: Sampler<Tensor>): Sampler<Tensor> => {
  // log(s/s′); at the image, where no noise is added, any number.
  const widths = Float64Array.from(ends, (to, i) => (to.s === 0 ? 0 : Math.log(at(begins, i).s / to.s)))
  return {
    ...small,
    step: (x, estimate, index, draw) => {
      const said = estimate(x, index)
      const { fraction } = said
      if (fraction === undefined)
        throw new TypeError(
          'ddpm: the variance is learned, and the network says none: give sampling learnedVariance: true, with a network of twice the channels',
        )
      return small.step(
        x,
        () => said,
        index,
        () => draw().mul(fraction.mul(gatherTable(widths, index, x)).exp()),
      )
    },
  }
}

/**
 * DDIM between any levels. The state is x.
 *
 * @throws RangeError for η outside [0, 1], and for ends that are not one for each step
 * @example
 * ```ts
 * import { scalar, tensor } from 'fathom'
 * import { ddimBetween, flowLevels } from 'fathom/diffusion'
 *
 * const { step } = ddimBetween(flowLevels(4))
 * const knows = () => ({ x0: tensor([1]), epsilon: tensor([3]) })
 * step(tensor([3]), knows, scalar(0, 'u32'), () => tensor([0])) // => [2.5]
 * ```
 */
export const ddimBetween = (levels: Levels, options: DdimBetweenOptions = {}): Sampler<Tensor> => {
  expectLevels('ddimBetween', levels)
  requireKnown('ddimBetween', options, ['eta', 'ends'])
  const { eta = 0 } = options
  requireShare('ddimBetween', 'eta', eta)
  const [begins, ends] = [pointsOf(levels), endsOf('ddimBetween', levels, options.ends)]
  return oneStep('ddimBetween', levels, (i, terms) => ddimForm(terms, at(begins, i), at(ends, i), eta))
}

/**
 * Ancestral sampling between any levels, as few as one likes. The state is x.
 *
 * @throws RangeError for a variance that there is not, and for ends that are not one for each step
 * @example
 * ```ts
 * import { cosineSchedule, ddpmBetween, scheduleLevels, stepsOf } from 'fathom/diffusion'
 *
 * stepsOf(ddpmBetween(scheduleLevels(cosineSchedule(1000), 100)).levels) // => 100
 * ```
 */
export const ddpmBetween = (levels: Levels, options: DdpmBetweenOptions = {}): Sampler<Tensor> => {
  expectLevels('ddpmBetween', levels)
  requireKnown('ddpmBetween', options, ['variance', 'ends'])
  const { variance = 'small' } = options
  if (!variances.includes(variance))
    throw new RangeError(`ddpmBetween: the variance is '${variance}'; it must be ${variances.join(', ')}`)
  const [begins, ends] = [pointsOf(levels), endsOf('ddpmBetween', levels, options.ends)]
  const fixed = variance === 'large' ? variance : 'small'
  const steps = oneStep('ddpmBetween', levels, (i, terms) => ddpmForm(terms, at(begins, i), at(ends, i), fixed))
  return variance === 'learned' ? learnedSteps(begins, ends, steps) : steps
}
