/**
 * PNDM, Liu et al. 2022: Adams–Bashforth's weights for the noise, and x carried from level to level by their formula 9, which is exact for a noise
 * that stays the same ({@link carried}).
 *
 * It begins by three steps of Runge and Kutta's method (PRK, formula 13), or, as Stable Diffusion's PLMS, by a step that is made twice.
 */
import { at, range } from '../../prelude/array.ts'
import { requireKnown } from '../../prelude/options.ts'
import { expectLevels } from '../expect.ts'
import type { Levels } from '../levels.ts'
import { pointsOf, sigma, wayOf, type Point } from '../point.ts'
import type { Sampler } from '../sampler.ts'
import { carried, straight, sum, type Form, type Terms } from './form.ts'
import type { MultistepState } from './multistep.ts'
import { spansOf, staged, timeWithin, type ClockOptions, type Span, type Stage } from './stages.ts'

/** What {@link pndm} takes. */
export interface PndmOptions extends ClockOptions {
  /** How a walk begins: `runge-kutta`, twelve evaluations for three steps (default), or `twice`, one more than there are steps. */
  readonly start?: 'runge-kutta' | 'twice'
  /** The point at a time between those of levels: for a schedule t ↦ `pointAtTime(schedule, t)`, at half the way in time. By default it is half the way in ln σ. */
  readonly pointAt?: (time: number) => Point
}

/** Adams–Bashforth's weights by how many estimates there are. */
const bashforth: readonly (readonly number[])[] = [
  [1],
  [3 / 2, -1 / 2],
  [23 / 12, -16 / 12, 5 / 12],
  [55 / 24, -59 / 24, 37 / 24, -9 / 24],
]

/** Kept are x at the beginning of a step, what Runge and Kutta's sum has come to, and three noises of before. */
const kept = 5

/** x carried to the end of a step; from pure noise it is a step of first order. */
const go = (terms: Terms, x: Form, e: Form, { from, to }: Span): Form =>
  from.a === 0 ? straight(terms, to) : carried(x, e, from, to)

/** The kept noises with this one before them. */
const pushed = ({ epsilon, kept: [base = epsilon, total = epsilon, ...noises] }: Terms): readonly Form[] => [
  base,
  total,
  epsilon,
  ...noises.slice(0, 2),
]

/**
 * A step of Adams and Bashforth, which is this entry.
 *
 * @param keepers the entries whose noise is kept, in order
 */
const adamsStage = (span: Span, entry: number, keepers: readonly number[]): Stage => ({
  at: span.from,
  time: span.times[0],
  after: 0,
  make: (terms, known) => {
    const noises = [terms.epsilon, ...terms.kept.slice(2)]
    const before = keepers.filter((k) => k >= entry - known && k < entry).length
    const [first = 1, ...rest] = at(bashforth, Math.min(3, before))
    const e = sum([first, at(noises, 0)], ...rest.map((w, j) => [w, at(noises, j + 1)] as const))
    const [, ...others] = pushed(terms)
    return { next: go(terms, terms.x, e, span), kept: [terms.x, ...others] }
  },
})

/** Four entries: at the beginning, twice in the middle, and at the end. */
const rungeKuttaStages = (span: Span, middle: Point, time: number): readonly Stage[] => {
  const half: Span = { ...span, to: middle }
  const total = (terms: Terms, weight: number): Form => sum([1, at(terms.kept, 1)], [weight, terms.epsilon])
  const inner = (place: Point, when: number, after: number, to: Span): Stage => ({
    at: place,
    time: when,
    after,
    make: (t) => {
      const [base = t.x, , ...noises] = t.kept
      return { next: go(t, base, t.epsilon, to), kept: [base, total(t, 1 / 3), ...noises] }
    },
  })
  return [
    {
      at: span.from,
      time: span.times[0],
      after: 0,
      make: (t) => {
        const [, , ...noises] = pushed(t)
        return { next: go(t, t.x, t.epsilon, half), kept: [t.x, sum([1 / 6, t.epsilon]), ...noises] }
      },
    },
    inner(middle, time, 1, half),
    inner(middle, time, 2, span),
    {
      at: span.to,
      time: span.times[1],
      after: 3,
      make: (t) => ({ next: go(t, at(t.kept, 0), total(t, 1 / 6), span), kept: t.kept }),
    },
  ]
}

/** How many entries the first steps have. */
const rungeKuttaEntries = 12

/** Stages step by step, and which of them keep their noise: those that begin a step. */
interface Plan {
  readonly stages: readonly Stage[]
  readonly keepers: readonly number[]
}

const withRungeKutta = (levels: Levels, { pointAt, ...clock }: PndmOptions): readonly Stage[] => {
  const way = wayOf('pndm', pointsOf(levels))
  const plan = spansOf(levels).reduce<Plan>(
    ({ stages, keepers }, span) => {
      const { from, to, times } = span
      const entry = stages.length
      const time = (times[0] + times[1]) / 2
      const begins = entry < rungeKuttaEntries && from.a > 0 && to.s > 0
      if (!begins) return { stages: [...stages, adamsStage(span, entry, keepers)], keepers: [...keepers, entry] }
      const middle = pointAt === undefined ? way(Math.sqrt(sigma(from) * sigma(to))) : pointAt(time)
      const when = pointAt === undefined ? timeWithin(span, middle, clock) : time
      return { stages: [...stages, ...rungeKuttaStages(span, middle, when)], keepers: [...keepers, entry] }
    },
    { stages: [], keepers: [] },
  )
  return plan.stages
}

/** The first step is made twice, the second time with the mean of the noises at both ends; that at its end is asked for again then. */
const withTwice = (levels: Levels): readonly Stage[] => {
  const spans = spansOf(levels)
  const first = at(spans, 0)
  if (first.from.a === 0 || first.to.s === 0) return spans.map((span, i) => adamsStage(span, i, range(i)))
  const again: Stage = {
    at: first.to,
    time: first.times[1],
    after: 1,
    make: (t) => ({ next: go(t, at(t.kept, 0), sum([0.5, at(t.kept, 2)], [0.5, t.epsilon]), first), kept: t.kept }),
  }
  const keepers = range(spans.length + 1).filter((entry) => entry !== 1)
  return [adamsStage(first, 0, []), again, ...spans.slice(1).map((span, i) => adamsStage(span, i + 2, keepers))]
}

/**
 * PNDM between any levels, of fourth order once four noises are known.
 *
 * @throws RangeError for a start that there is not; and, where it begins by Runge and Kutta's method, for levels on a way that is not known
 * @example
 * ```ts
 * import { cosineSchedule, pndm, scheduleLevels, stepsOf } from 'fathom/diffusion'
 *
 * const levels = scheduleLevels(cosineSchedule(1000), 20)
 * stepsOf(pndm(levels).levels) // => 29
 * stepsOf(pndm(levels, { start: 'twice' }).levels) // => 21
 * ```
 */
export const pndm = (levels: Levels, options: PndmOptions = {}): Sampler<MultistepState> => {
  expectLevels('pndm', levels)
  requireKnown('pndm', options, ['start', 'pointAt', 'timeOf'])
  const { start = 'runge-kutta' } = options
  if (!['runge-kutta', 'twice'].includes(start))
    throw new RangeError(`pndm: the start is '${start}'; it must be runge-kutta, twice`)
  const stages = start === 'twice' ? withTwice(levels) : withRungeKutta(levels, options)
  return staged('pndm', { levels, stages, kept, depth: start === 'twice' ? 4 : rungeKuttaEntries })
}
