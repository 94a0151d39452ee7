/**
 * DDIM backwards, from a picture to the noise that it comes from (Song et al. 2021, section 4.3): the ODE has no arrow, only its levels do.
 *
 * A step from x to a noisier x′ needs the noise that is seen at x′, which is not known yet. The usual way asks with x in its place; asking again with what came
 * out is a fixed point iteration, after a few rounds of which DDIM leads back to the picture exactly (Pan et al. 2023, AIDI).
 */
import { at, range } from '../../prelude/array.ts'
import { requireKnown, requireWhole } from '../../prelude/options.ts'
import { expectLevels } from '../expect.ts'
import type { Levels } from '../levels.ts'
import { pointsOf } from '../point.ts'
import type { Sampler } from '../sampler.ts'
import { carried } from './form.ts'
import type { MultistepState } from './multistep.ts'
import { staged, type Stage } from './stages.ts'

/** What {@link ddimInverse} takes. */
export interface DdimInverseOptions {
  /** How often the network is asked at each level; default 1. */
  readonly rounds?: number
}

/**
 * The walk from the image of these levels up to their noise. It starts at a picture, `sampling(…)(params, key, { from: { state: sampler.init(picture), step: 0 } })`, and its `image` is
 * the noise then: {@link ddimBetween} the same levels leads from there to the picture.
 *
 * @param levels those of the walk down; their first must hold some signal
 * @throws RangeError for levels that begin at pure noise
 * @example
 * ```ts
 * import { cosineSchedule, ddimInverse, scheduleLevels } from 'fathom/diffusion'
 *
 * ddimInverse(scheduleLevels(cosineSchedule(1000), 4)).levels.time // => [249, 499, 749, 999, 999]
 * ```
 */
export const ddimInverse = (levels: Levels, options: DdimInverseOptions = {}): Sampler<MultistepState> => {
  expectLevels('ddimInverse', levels)
  requireKnown('ddimInverse', options, ['rounds'])
  const { rounds = 1 } = options
  requireWhole('ddimInverse', 'rounds', rounds, 1)
  const rising = pointsOf(levels).toReversed()
  const times = Array.from(levels.time).toReversed()
  if (at(rising, rising.length - 1).a === 0)
    throw new RangeError(
      'ddimInverse: the levels begin at pure noise, from which no way leads back: take a first level with some signal',
    )
  const stages = rising.slice(1).flatMap((to, i) => {
    const from = at(rising, i)
    return range(rounds).map((round): Stage => ({
      at: to,
      time: at(times, i + 1),
      after: round,
      make: ({ x, epsilon, kept: [base = x] }) => {
        const begin = round === 0 ? x : base
        return { next: carried(begin, epsilon, from, to), kept: [begin] }
      },
    }))
  })
  const last = {
    signal: levels.signal.toReversed(),
    noise: levels.noise.toReversed(),
    time: levels.time.toReversed(),
  }
  return staged('ddimInverse', { levels: last, stages, kept: 1, depth: rounds - 1 })
}
