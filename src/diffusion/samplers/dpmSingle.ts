/**
 * DPM-Solver++ as single steps (Lu et al. 2022b, algorithm 1; 2022a, algorithms 1 and 2): within a step of order k the network is asked k times, and nothing of
 * the steps before is used.
 *
 * As in diffusers' `DPMSolverSinglestepScheduler` the k evaluations lie on k levels of the walk, so that a walk has as many evaluations as levels whatever the order is: orders
 * 1, 2, 3, 1, 2, 3, …, and each starts from x at the first level of its step.
 */
import { at, range } from '../../prelude/array.ts'
import { requireKnown, requireWhole } from '../../prelude/options.ts'
import { expectLevels } from '../expect.ts'
import { stepsOf, type Levels } from '../levels.ts'
import { lambda, pointsOf, type Point } from '../point.ts'
import type { Sampler } from '../sampler.ts'
import { difference, straight, sum, type Form } from './form.ts'
import { multistep, type MultistepState } from './multistep.ts'

/** What {@link dpmSolverSingle} takes. */
export interface DpmSingleOptions {
  /** 1, 2 or 3; default 2. */
  readonly order?: number
  /** How the slope of a third-order step is taken; default `midpoint`. */
  readonly rule?: 'midpoint' | 'heun'
  /** Whether the last evaluations make up shorter steps; default true. Else they go on in the same pattern. */
  readonly lowerOrderFinal?: boolean
}

/** The order of each evaluation: its place within its step. */
const places = (steps: number, order: number, lowerOrderFinal: boolean): readonly number[] => {
  const pattern = range(steps).map((i) => (i % order) + 1)
  if (!lowerOrderFinal || order === 1) return pattern
  // The last evaluation is of first order: the step before gives up what is over.
  const over = steps % order
  if (order === 2) return over === 0 ? [...pattern.slice(0, -1), 1] : pattern
  return over === 0 ? [...pattern.slice(0, -3), 1, 2, 1] : pattern
}

/** The estimates of a step: where it began, how long it is in λ, and the images seen in it, the first one first, each with its share of the way. */
interface Within {
  readonly from: Point
  readonly to: Point
  readonly x: Form
  readonly seen: readonly (readonly [m: Form, r: number])[]
}

const singleStep = ({ from, to, x, seen }: Within, rule: 'midpoint' | 'heun'): Form => {
  const h = lambda(to) - lambda(from)
  const [[m0] = [x], ...later] = seen
  const first = sum([to.s / from.s, x], [to.a - (from.a * to.s) / from.s, m0])
  const slopes = later.map(([m, r]) => difference(m, m0, 1 / r))
  const [near] = slopes
  if (near === undefined) return first
  const phi1 = Math.expm1(-h)
  const heun = to.a * (phi1 / h + 1)
  const [, far] = slopes
  if (far === undefined) return sum([1, first], [rule === 'heun' ? heun : (-to.a * phi1) / 2, near])
  if (rule === 'midpoint') return sum([1, first], [heun, far])
  const [r1, r2] = [at(later, 0)[1], at(later, 1)[1]]
  const slope = sum([r2 / (r2 - r1), near], [-r1 / (r2 - r1), far])
  const curve = difference(far, near, 2 / (r2 - r1))
  return sum([1, first], [heun, slope], [-to.a * ((phi1 + h) / (h * h) - 0.5), curve])
}

/**
 * DPM-Solver++ in single steps between any levels.
 *
 * @throws RangeError for an order or a rule that there is not
 * @example
 * ```ts
 * import { cosineSchedule, dpmSolverSingle, scheduleLevels, stepsOf } from 'fathom/diffusion'
 *
 * stepsOf(dpmSolverSingle(scheduleLevels(cosineSchedule(1000), 21), { order: 3 }).levels) // => 21
 * ```
 */
export const dpmSolverSingle = (levels: Levels, options: DpmSingleOptions = {}): Sampler<MultistepState> => {
  expectLevels('dpmSolverSingle', levels)
  requireKnown('dpmSolverSingle', options, ['order', 'rule', 'lowerOrderFinal'])
  const { order = 2, rule = 'midpoint', lowerOrderFinal = true } = options
  requireWhole('dpmSolverSingle', 'order', order, 1)
  if (order > 3) throw new RangeError(`dpmSolverSingle: order is ${order}; it must be 1, 2 or 3`)
  if (!['midpoint', 'heun'].includes(rule))
    throw new RangeError(`dpmSolverSingle: the rule is '${rule}'; it must be midpoint, heun`)
  const points = pointsOf(levels)
  const orders = places(stepsOf(levels), order, lowerOrderFinal)
  return multistep('dpmSolverSingle', {
    levels,
    kept: order,
    depth: order - 1,
    entry: (i, known, terms) => {
      const [base = terms.x, ...before] = terms.kept
      const to = at(points, i + 1)
      const wanted = to.s === 0 ? 1 : Math.min(at(orders, i), known + 1)
      const place = range(wanted).find((back) => at(points, i - back).a === 0) === undefined ? wanted : 1
      const begin = i - (place - 1)
      const from = at(points, begin)
      const x = place === 1 ? terms.x : base
      const kept = [x, terms.x0, ...before].slice(0, order)
      if (place === 1) return { next: straight(terms, to), kept }
      const h = lambda(to) - lambda(from)
      const seen = [terms.x0, ...before].slice(0, place).toReversed()
      const shares = seen.map((m, k) => [m, (lambda(at(points, begin + k)) - lambda(from)) / h] as const)
      return { next: singleStep({ from, to, x, seen: shares }, rule), kept }
    },
  })
}
