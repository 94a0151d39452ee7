/**
 * Adams–Bashforth methods in σ: dx/dσ = ε along x/a, with ε a polynomial through this estimate and those before, whose integral is exact.
 *
 * The polynomial is in σ for LMS (Katherine Crowson's k-diffusion, `sample_lms`), in ln σ for DEIS (Zhang & Chen 2023, ρAB and tAB with the clock ln ρ).
 */
import { at, range } from '../../prelude/array.ts'
import { requireKnown, requireWhole } from '../../prelude/options.ts'
import { expectLevels } from '../expect.ts'
import type { Levels } from '../levels.ts'
import type { Sampler } from '../sampler.ts'
import { pointsOf, sigma } from '../point.ts'
import { type Form, straight, sum } from './form.ts'
import { multistep, type MultistepState } from './multistep.ts'
import { orderAt, type OrderOptions } from './orders.ts'
import { gaussLegendre } from './quadrature.ts'

/** The Lagrange polynomial of node j: 1 there, 0 at the others. */
const lagrange = (nodes: readonly number[], j: number, x: number): number =>
  nodes.reduce((p, node, k) => (k === j ? p : (p * (x - node)) / (at(nodes, j) - node)), 1)

/** A clock, and how fast σ goes by it. */
interface Clock {
  readonly of: (sigma: number) => number
  readonly rate: (clock: number) => number
}

const clocks = {
  sigma: { of: (sigma: number) => sigma, rate: () => 1 },
  logSigma: { of: Math.log, rate: Math.exp },
} satisfies { readonly [name: string]: Clock }

/** ∫ ℓ_j(c(σ)) dσ over a step, for each node j. */
const weights = ({ of, rate }: Clock, sigmas: readonly number[], to: number): readonly number[] => {
  const nodes = sigmas.map(of)
  const [begin, end] = [at(nodes, 0), of(to)]
  return range(nodes.length).map((j) => gaussLegendre((c) => lagrange(nodes, j, c) * rate(c), begin, end))
}

const adams = (who: string, levels: Levels, clock: Clock, options: OrderOptions): Sampler<MultistepState> => {
  expectLevels(who, levels)
  const { order } = options
  requireWhole(who, 'order', order, 1)
  if (order > 4) throw new RangeError(`${who}: order is ${order}; it must be 1, 2, 3 or 4`)
  const points = pointsOf(levels)
  // A polynomial in σ reaches the image, one in ln σ does not.
  const reaching =
    clock === clocks.sigma ? points.map(({ a, s }) => ({ a, s: s === 0 ? Number.MIN_VALUE : s })) : points
  return multistep(who, {
    levels,
    kept: order - 1,
    depth: order - 1,
    entry: (i, known, { x0, epsilon, x, kept }) => {
      const [from, to] = [at(points, i), at(points, i + 1)]
      const now = orderAt(reaching, i, known, options)
      const sigmas = range(now).map((back) => sigma(at(points, i - back)))
      const estimates: readonly Form[] = [epsilon, ...kept]
      const next =
        now === 1
          ? straight({ x0, epsilon }, to)
          : sum(
              [to.a / from.a, x],
              ...weights(clock, sigmas, sigma(to)).map((w, j) => [to.a * w, at(estimates, j)] as const),
            )
      return { next, kept: estimates.slice(0, order - 1) }
    },
  })
}

/**
 * The linear multistep method of k-diffusion between any levels: the Adams–Bashforth rule for unequal steps in σ, to the image with full order.
 *
 * @param options order: 1 to 4; default 4
 * @throws RangeError for an order that there is not
 * @example
 * ```ts
 * import { karrasLevels, lms, stepsOf } from 'fathom/diffusion'
 *
 * stepsOf(lms(karrasLevels({ steps: 10 }), { order: 3 }).levels) // => 10
 * ```
 */
export const lms = (levels: Levels, options: { readonly order?: number } = {}): Sampler<MultistepState> => {
  requireKnown('lms', options, ['order'])
  return adams('lms', levels, clocks.sigma, { order: 4, ...options, lowerOrderFinal: false })
}

/**
 * DEIS (Zhang & Chen 2023) between any levels: the polynomial is in ln σ. A step to the image is of first order.
 *
 * @throws RangeError for an order that there is not
 * @example
 * ```ts
 * import { cosineSchedule, deis, scheduleLevels, stepsOf } from 'fathom/diffusion'
 *
 * stepsOf(deis(scheduleLevels(cosineSchedule(1000), 12)).levels) // => 12
 * ```
 */
export const deis = (levels: Levels, options: Partial<OrderOptions> = {}): Sampler<MultistepState> => {
  requireKnown('deis', options, ['order', 'lowerOrderFinal', 'eulerAtFinal'])
  return adams('deis', levels, clocks.logSigma, { order: 2, ...options })
}
