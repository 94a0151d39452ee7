/**
 * Methods of second order which ask the network twice a step, along x/a by σ = s/a: Heun's (Karras et al. 2022, algorithm 1) and the midpoint rule in ln σ, which
 * k-diffusion calls DPM-2, also with ancestral noise.
 *
 * Each evaluation is an entry of its own, so that none is made for nothing, and levels repeat. `heun` makes both in one step, by x̂₀ da + ε̂ ds: on variance-exploding levels
 * that is the same, and it can begin at pure noise.
 */
import { requireKnown } from '../../prelude/options.ts'
import { expectLevels } from '../expect.ts'
import type { Levels } from '../levels.ts'
import { pointsOf, sigma, wayOf, type Point } from '../point.ts'
import type { Sampler } from '../sampler.ts'
import { carried, straight, sum, type Form, type Terms } from './form.ts'
import type { MultistepState } from './multistep.ts'
import { spansOf, staged, timeWithin, type ClockOptions, type Span, type Stage } from './stages.ts'

/** A step of first order, to the image and from pure noise: nothing of it is kept. */
const single = ({ from, to, times: [time] }: Span): Stage => ({
  at: from,
  time,
  after: 0,
  make: (terms) => ({ next: straight(terms, to), kept: terms.kept }),
})

/** Whether a step can only be of first order. */
const isSingle = ({ from, to }: Span): boolean => to.s === 0 || from.a === 0

/** Euler's step to the end, and the same step again with the mean of the noises at both ends. */
const heunStages = (span: Span): readonly Stage[] => {
  const { from, to, times } = span
  if (isSingle(span)) return [single(span)]
  return [
    { at: from, time: times[0], after: 0, make: (t) => ({ next: straight(t, to), kept: [t.x, t.epsilon] }) },
    {
      at: to,
      time: times[1],
      after: 1,
      make: ({ epsilon, kept: [x = epsilon, first = epsilon], kept }) => ({
        next: carried(x, sum([0.5, first], [0.5, epsilon]), from, to),
        kept,
      }),
    },
  ]
}

/** The two noises of an ancestral step: how far it goes down, and how much is added anew (k-diffusion, `get_ancestral_step`). */
const ancestral = (from: Point, to: Point): { readonly down: number; readonly up: number } => {
  const [before, after] = [sigma(from), sigma(to)]
  return { down: after * (after / before), up: after * Math.sqrt(1 - (after / before) ** 2) }
}

/** Half a step, in ln σ, and the whole step with the noise that is seen there. */
const midpointStages = (
  span: Span,
  {
    way,
    clock,
    noisy,
  }: { readonly way: (sigma: number) => Point; readonly clock: ClockOptions; readonly noisy: boolean },
): readonly Stage[] => {
  const { from, to } = span
  if (isSingle(span)) return [single(span)]
  const { down, up } = noisy ? ancestral(from, to) : { down: sigma(to), up: 0 }
  const middle = way(Math.sqrt(sigma(from) * down))
  const end = way(down)
  const whole = ({ epsilon, z, kept: [x = epsilon] }: Terms): Form =>
    sum([to.a / end.a, carried(x, epsilon, from, end)], [to.a * up, z])
  return [
    { at: from, time: span.times[0], after: 0, make: (t) => ({ next: straight(t, middle), kept: [t.x] }) },
    {
      at: middle,
      time: timeWithin(span, middle, clock),
      after: 1,
      make: (t) => ({ next: whole(t), kept: t.kept }),
    },
  ]
}

/**
 * Heun's method in σ between any levels, one evaluation at a time: n steps have 2n − 1 entries, for the last is Euler's.
 *
 * @example
 * ```ts
 * import { heunSigma, karrasLevels } from 'fathom/diffusion'
 *
 * heunSigma(karrasLevels({ steps: 3, sigmaMin: 1, sigmaMax: 4, rho: 1 })).levels.noise // => [4, 2.5, 2.5, 1, 1, 0]
 * ```
 */
export const heunSigma = (levels: Levels): Sampler<MultistepState> => {
  expectLevels('heunSigma', levels)
  return staged('heunSigma', { levels, stages: spansOf(levels).flatMap(heunStages), kept: 2, depth: 1 })
}

const midpoint = (who: string, levels: Levels, options: ClockOptions, noisy: boolean): Sampler<MultistepState> => {
  expectLevels(who, levels)
  requireKnown(who, options, ['timeOf'])
  const way = wayOf(who, pointsOf(levels))
  const stages = spansOf(levels).flatMap((span) => midpointStages(span, { way, clock: options, noisy }))
  return staged(who, { levels, stages, kept: 1, depth: 1 })
}

/**
 * DPM-2: the midpoint rule, whose middle is the geometric mean of σ, where the network is asked as well.
 *
 * @throws RangeError for levels on a way that is not known, where there is no middle
 * @example
 * ```ts
 * import { dpm2, explodingLevels } from 'fathom/diffusion'
 *
 * dpm2(explodingLevels([4, 1])).levels.noise // => [4, 2, 1, 0]
 * ```
 */
export const dpm2 = (levels: Levels, options: ClockOptions = {}): Sampler<MultistepState> =>
  midpoint('dpm2', levels, options, false)

/**
 * DPM-2 with ancestral noise: each step goes further down than to its end, and noise is added.
 *
 * @throws RangeError for levels on a way that is not known
 * @example
 * ```ts
 * import { dpm2Ancestral, explodingLevels } from 'fathom/diffusion'
 *
 * dpm2Ancestral(explodingLevels([4, 1])).levels.noise // => [4, 1, 1, 0]
 * ```
 */
export const dpm2Ancestral = (levels: Levels, options: ClockOptions = {}): Sampler<MultistepState> =>
  midpoint('dpm2Ancestral', levels, options, true)
