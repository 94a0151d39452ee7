/**
 * DPM-Solver (Lu et al. 2022a) and DPM-Solver++ (Lu et al. 2022b): the linear part of the ODE is solved exactly, and what the network says
 * is a polynomial in λ = ln(a/s), from this estimate and those before: one evaluation a step for any order.
 *
 * As in diffusers' `DPMSolverMultistepScheduler`: its four kinds, and the two ways to make a slope of the estimates. DPM-Solver++ takes the image for
 * the polynomial, DPM-Solver the noise; the stochastic kinds solve the reverse SDE of the same marginals.
 */
import { at } from '../../prelude/array.ts'
import { requireKnown, requireWhole } from '../../prelude/options.ts'
import { expectLevels } from '../expect.ts'
import type { Levels } from '../levels.ts'
import type { Sampler } from '../sampler.ts'
import { lambda, pointsOf, type Point } from '../point.ts'
import { difference, sum, type Form, type Terms } from './form.ts'
import { multistep, type MultistepState } from './multistep.ts'
import { orderAt, type OrderOptions } from './orders.ts'

/** What is solved: `data` is DPM-Solver++ (the image), `noise` DPM-Solver, and the SDE of either. */
export type DpmKind = 'data' | 'noise' | 'data-sde' | 'noise-sde'

/** What {@link dpmSolver} takes. */
export interface DpmSolverOptions extends Partial<OrderOptions> {
  /** Default `data`, DPM-Solver++. */
  readonly kind?: DpmKind
  /** The second-order term: `midpoint` takes the slope at the middle of the step (default), `heun` integrates a straight line. */
  readonly rule?: 'midpoint' | 'heun'
  /**
   * Whether the second difference of third order has half its factor, as in the authors' code and in diffusers; default false. With half of it the method converges by the
   * second order only.
   */
  readonly published?: boolean
}

/** The factors of a step: of x, of what is predicted, of its first and its second difference, and of fresh noise. */
interface Factors {
  readonly x: number
  readonly value: number
  readonly slope: { readonly midpoint: number; readonly heun: number }
  readonly curve: number
  readonly z: number
}

/** φ₂(h) = (e^h − 1)/h − 1 and φ₃(h) = (e^h − 1 − h)/h² − ½, of which higher orders are made. */
const phi2 = (h: number): number => Math.expm1(h) / h - 1
const phi3 = (h: number): number => (Math.expm1(h) - h) / (h * h) - 0.5

/** The factors by kind, from one point to the next: Lu et al. 2022a and 2022b, with e^(−h) = σ′/σ. */
const factors: { readonly [K in DpmKind]: (from: Point, to: Point) => Factors } = {
  data: (from, to) => {
    const h = lambda(to) - lambda(from)
    const value = to.a - (from.a * to.s) / from.s // −a′(e^(−h) − 1)
    return {
      x: to.s / from.s,
      value,
      slope: { midpoint: value / 2, heun: -to.a * phi2(-h) },
      curve: -to.a * phi3(-h),
      z: 0,
    }
  },
  noise: (from, to) => {
    const h = lambda(to) - lambda(from)
    const value = to.s - (from.s * to.a) / from.a // −s′(e^h − 1)
    return {
      x: to.a / from.a,
      value,
      slope: { midpoint: value / 2, heun: -to.s * phi2(h) },
      curve: -to.s * phi3(h),
      z: 0,
    }
  },
  'data-sde': (from, to) => {
    const h = lambda(to) - lambda(from)
    const decay = (from.a * to.s) / (from.s * to.a) // e^(−h)
    const value = to.a * (1 - decay * decay)
    return {
      x: (to.s / from.s) * decay,
      value,
      slope: { midpoint: value / 2, heun: -to.a * phi2(-2 * h) },
      curve: -to.a * phi3(-2 * h),
      z: to.s * Math.sqrt(1 - decay * decay),
    }
  },
  'noise-sde': (from, to) => {
    const h = lambda(to) - lambda(from)
    const grown = (from.s * to.a) / from.a // s′·e^h
    const value = 2 * (to.s - grown)
    return {
      x: to.a / from.a,
      value,
      slope: { midpoint: value / 2, heun: -2 * to.s * phi2(h) },
      curve: -2 * to.s * phi3(h),
      z: to.s === 0 ? 0 : Math.sqrt(grown * grown - to.s * to.s), // at the image no noise is added
    }
  },
}

/** What the polynomial goes through: the image or the noise. */
const predicted = ({ x0, epsilon }: Terms, kind: DpmKind): Form => (kind.startsWith('data') ? x0 : epsilon)

/** The first difference and, of third order, the second: of m₀ here, m₁ and m₂ before, which are r₀ and r₁ steps apart. */
const differences = (
  order: number,
  [m0, m1, m2]: readonly [Form, Form, Form],
  [r0, r1]: readonly [number, number],
): readonly [slope: Form, curve: Form | undefined] => {
  const near = difference(m0, m1, 1 / r0)
  if (order === 2) return [near, undefined]
  const far = difference(m1, m2, 1 / r1)
  return [sum([1 + r0 / (r0 + r1), near], [-r0 / (r0 + r1), far]), difference(near, far, 1 / (r0 + r1))]
}

const kinds: readonly string[] = Object.keys(factors)

const requireOptions = ({ kind = 'data', rule = 'midpoint', order = 2 }: DpmSolverOptions): void => {
  if (!kinds.includes(kind)) throw new RangeError(`dpmSolver: the kind is '${kind}'; it must be ${kinds.join(', ')}`)
  if (!['midpoint', 'heun'].includes(rule))
    throw new RangeError(`dpmSolver: the rule is '${rule}'; it must be midpoint, heun`)
  requireWhole('dpmSolver', 'order', order, 1)
  if (order > 3) throw new RangeError(`dpmSolver: order is ${order}; it must be 1, 2 or 3`)
}

/** x′ from one point to the next, of this order: the formulas of the kind. */
const stepForm = (
  [points, i]: readonly [readonly Point[], number],
  order: number,
  terms: Terms,
  { kind = 'data', rule = 'midpoint', published = false }: DpmSolverOptions,
): Form => {
  const [from, to] = [at(points, i), at(points, i + 1)]
  const f = factors[kind](from, to)
  const m0 = predicted(terms, kind)
  const first = sum([f.x, terms.x], [f.value, m0], [f.z, terms.z])
  if (order === 1) return first
  const width = (back: number): number => lambda(at(points, i + 1 - back)) - lambda(at(points, i - back))
  const h = width(0)
  const [m1 = m0, m2 = m1] = terms.kept
  const ratios = [width(1) / h, order === 2 ? NaN : width(2) / h] as const
  const [slope, curve] = differences(order, [m0, m1, m2], ratios)
  if (curve === undefined) return sum([1, first], [f.slope[rule], slope])
  // m = m₀ + slope·u + curve·u² at u steps from here, and ∫ of u² is 2·φ₃: of uᵏ/k! it is φ_{k+1}.
  return sum([1, first], [f.slope.heun, slope], [f.curve * (published ? 1 : 2), curve])
}

/**
 * DPM-Solver between any levels: without options DPM-Solver++ (2M). The first steps of a walk are of lower order, and so is the one that ends at the image.
 *
 * @throws RangeError for a kind, a rule or an order that there is not
 * @example
 * ```ts
 * import { scalar, tensor } from 'fathom'
 * import { cosineSchedule, dpmSolver, scheduleLevels } from 'fathom/diffusion'
 *
 * const levels = scheduleLevels(cosineSchedule(1000), 20)
 * const { init, step, image } = dpmSolver(levels)
 * const knows = () => ({ x0: tensor([0.5]), epsilon: tensor([1]) })
 * const state = step(init(tensor([1])), knows, scalar(19, 'u32'), () => tensor([0])) // the last step, from a bare x
 * image(state) // => [0.5]
 * dpmSolver(levels, { order: 3, kind: 'data-sde' }).init(tensor([1])).kept.length // => 2
 * ```
 */
export const dpmSolver = (levels: Levels, options: DpmSolverOptions = {}): Sampler<MultistepState> => {
  expectLevels('dpmSolver', levels)
  requireKnown('dpmSolver', options, ['kind', 'rule', 'published', 'order', 'lowerOrderFinal', 'eulerAtFinal'])
  requireOptions(options)
  const { kind = 'data', order = 2 } = options
  const points = pointsOf(levels)
  return multistep('dpmSolver', {
    levels,
    kept: order - 1,
    depth: order - 1,
    entry: (i, known, terms) => ({
      next: stepForm([points, i], orderAt(points, i, known, { ...options, order }), terms, options),
      kept: [predicted(terms, kind), ...terms.kept].slice(0, order - 1),
    }),
  })
}
