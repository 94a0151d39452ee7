/**
 * UniPC, Zhao et al. 2023: a predictor of DPM-Solver++'s kind, and a corrector which costs nothing, for it makes the step before again with the
 * estimate that the next step has to ask for anyway.
 *
 * Both are B(h)-forms: x′ = (s′/s)·x − a′(e^(−h) − 1)·m₀ − a′·B·Σ ρ_k (m_k − m₀)/r_k, whose ρ solve a small linear system. As in
 * diffusers' `UniPCMultistepScheduler`.
 */
import { at, range } from '../../prelude/array.ts'
import { requireKnown, requireWhole } from '../../prelude/options.ts'
import { expectLevels } from '../expect.ts'
import type { Levels } from '../levels.ts'
import type { Sampler } from '../sampler.ts'
import { lambda, pointsOf, type Point } from '../point.ts'
import { difference, sum, type Form } from './form.ts'
import { solve } from './linearSystem.ts'
import { multistep, type MultistepState } from './multistep.ts'
import { orderAt, type OrderOptions } from './orders.ts'

/** What {@link uniPc} takes. */
export interface UniPcOptions extends Partial<OrderOptions> {
  /** B(h): `bh2` is e^(−h) − 1 (default), `bh1` is −h. */
  readonly form?: 'bh1' | 'bh2'
  /** Whether steps are made again with the next estimate; default true. */
  readonly corrector?: boolean
}

/** B(h) and the right sides b_k = k!·φ_{k+1}(−h)/B. */
const sides = (
  h: number,
  order: number,
  form: 'bh1' | 'bh2',
): { readonly b: number; readonly right: readonly number[] } => {
  const b = form === 'bh1' ? -h : Math.expm1(-h)
  const series = range(order).reduce<readonly { readonly phi: number; readonly factorial: number }[]>(
    (list, k) => {
      const { phi, factorial } = at(list, k)
      const next = factorial * (k + 2)
      return [...list, { phi: phi / -h - 1 / next, factorial: next }]
    },
    [{ phi: Math.expm1(-h) / -h - 1, factorial: 1 }],
  )
  return { b, right: series.slice(0, order).map(({ phi, factorial }) => (phi * factorial) / b) }
}

/** One step: x and m₀ where it begins, and estimates m_k that are r_k steps of its own width away from there. */
interface Step {
  readonly from: Point
  readonly to: Point
  readonly x: Form
  readonly m0: Form
  readonly others: readonly (readonly [m: Form, r: number])[]
  readonly form: 'bh1' | 'bh2'
}

/** The ρ_k that make the step exact for polynomials, and ½ for a single one, which is accurate enough (Zhao 2023). */
const rhos = (rs: readonly number[], right: readonly number[]): readonly number[] =>
  rs.length === 1
    ? [0.5]
    : solve(
        range(rs.length).map((k) => rs.map((r) => r ** k)),
        right.slice(0, rs.length),
      )

const bhStep = ({ from, to, x, m0, others, form }: Step): Form => {
  const linear = sum([to.s / from.s, x], [to.a - (from.a * to.s) / from.s, m0])
  const h = lambda(to) - lambda(from)
  if (others.length === 0 || h === 0) return linear
  const { b, right } = sides(h, others.length, form)
  const found = rhos(
    others.map(([, r]) => r),
    right,
  )
  return sum([1, linear], ...others.map(([m, r], k) => [1, difference(m, m0, (-to.a * b * at(found, k)) / r)] as const))
}

const requireOptions = ({ order = 2, form = 'bh2' }: UniPcOptions): void => {
  requireWhole('uniPc', 'order', order, 1)
  if (order > 3) throw new RangeError(`uniPc: order is ${order}; it must be 1, 2 or 3`)
  if (!['bh1', 'bh2'].includes(form)) throw new RangeError(`uniPc: the form is '${form}'; it must be bh1, bh2`)
}

/**
 * UniPC between any levels. The network sees the predicted x; what is kept is the corrected one.
 *
 * @throws RangeError for an order or a form that there is not
 * @example
 * ```ts
 * import { scalar, tensor } from 'fathom'
 * import { flowLevels, uniPc } from 'fathom/diffusion'
 *
 * const { init, step, image } = uniPc(flowLevels(4))
 * const knows = () => ({ x0: tensor([0.5]), epsilon: tensor([1]) })
 * image(step(init(tensor([1])), knows, scalar(3, 'u32'), () => tensor([0]))) // => [0.5]
 * ```
 */
export const uniPc = (levels: Levels, options: UniPcOptions = {}): Sampler<MultistepState> => {
  expectLevels('uniPc', levels)
  requireKnown('uniPc', options, ['order', 'form', 'corrector', 'lowerOrderFinal', 'eulerAtFinal'])
  requireOptions(options)
  const { order = 2, form = 'bh2', corrector = true, lowerOrderFinal = true } = options
  const points = pointsOf(levels)
  // The last steps are of lower order in a walk of any length.
  const orderOf = (i: number, known: number): number =>
    Math.min(orderAt(points, i, known, { ...options, order }), lowerOrderFinal ? points.length - 1 - i : order)
  const clock = (i: number): number => lambda(at(points, i))
  return multistep('uniPc', {
    levels,
    kept: order + 1,
    depth: order,
    entry: (i, known, { x0, x, kept }) => {
      const [base = x, ...before] = kept
      const here = at(points, i)
      /** Estimates before the one at `begin`, so many, for a step of width h: with how far they are away. */
      const older = (ms: readonly Form[], begin: number, many: number, h: number): Step['others'] =>
        range(many).map((k) => [at(ms, k), (clock(begin - 1 - k) - clock(begin)) / h] as const)
      const correct = (): Form => {
        const h = clock(i) - clock(i - 1)
        const [m0 = x0, ...rest] = before
        const others = [...older(rest, i - 1, orderOf(i - 1, known - 1) - 1, h), [x0, 1] as const]
        return bhStep({ from: at(points, i - 1), to: here, x: base, m0, others, form })
      }
      const corrected = corrector && known > 0 && at(points, i - 1).a > 0 ? correct() : x
      const to = at(points, i + 1)
      const many = orderOf(i, known) - 1
      const others = many === 0 ? [] : older(before, i, many, clock(i + 1) - clock(i))
      return {
        next: bhStep({ from: here, to, x: corrected, m0: x0, others, form }),
        kept: [corrected, x0, ...before].slice(0, order + 1),
      }
    },
  })
}
