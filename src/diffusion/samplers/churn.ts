/**
 * Euler's method with churn, Karras et al. 2022, algorithm 2 without its second order: before each step some noise is added, and taken away with what was there.
 *
 * The network is asked at the raised level, so that is where an entry is: the noise is added at the end of the step before, and a walk starts at the first raised
 * level, which is the same noise.
 */
import { at } from '../../prelude/array.ts'
import { requireKnown, requireNotNegative } from '../../prelude/options.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { expectLevels } from '../expect.ts'
import type { Levels } from '../levels.ts'
import { pointsOf, sigma, tablesOf, wayOf } from '../point.ts'
import type { Sampler } from '../sampler.ts'
import { timesOf } from '../scheduleLevels.ts'
import { straight, sum } from './form.ts'
import { oneStep } from './multistep.ts'
import type { ClockOptions } from './stages.ts'

/** What {@link eulerChurn} takes, by the paper's names S_churn, S_tmin, S_tmax and S_noise. */
export interface ChurnOptions extends ClockOptions {
  /** How much of the noise is renewed over the walk; default 40. */
  readonly churn?: number
  /** The least σ at which noise is added; default 0. */
  readonly least?: number
  /** The greatest; default ∞. */
  readonly most?: number
  /** The deviation of added noise, a little above 1 against lost detail; default 1. */
  readonly spread?: number
}

/**
 * Euler's method with churn between levels of a schedule, of `karrasLevels` or of a flow. The state is x. Without churn it is DDIM.
 *
 * @throws RangeError for negative options, and levels on a way that is not known
 * @example
 * ```ts
 * import { eulerChurn, explodingLevels } from 'fathom/diffusion'
 *
 * eulerChurn(explodingLevels([4, 1]), { churn: 0.5 }).levels.noise // => [5, 1.25, 0]
 * ```
 */
export const eulerChurn = (levels: Levels, options: ChurnOptions = {}): Sampler<Tensor> => {
  expectLevels('eulerChurn', levels)
  requireKnown('eulerChurn', options, ['churn', 'least', 'most', 'spread', 'timeOf'])
  const { churn = 40, least = 0, most = Infinity, spread = 1, timeOf } = options
  for (const [name, value] of Object.entries({ churn, least, spread })) requireNotNegative('eulerChurn', name, value)
  const points = pointsOf(levels)
  const way = wayOf('eulerChurn', points)
  const steps = points.length - 1
  const gamma = Math.min(churn / steps, Math.SQRT2 - 1)
  const raised = points.map((point) => {
    const before = sigma(point)
    const stays = gamma === 0 || before === 0 || !Number.isFinite(before) || before < least || before > most
    return stays ? point : way(before * (1 + gamma))
  })
  const times = raised.map((point, i) => {
    const time = levels.time[i] ?? NaN
    if (point === at(points, i)) return time
    if (timeOf !== undefined) return timeOf(sigma(point))
    return time === at(points, i).s ? point.s : time // σ, or t of a flow; a schedule's nearest
  })
  const walk = {
    ...tablesOf(raised),
    time: levels.time instanceof Int32Array ? timesOf(times) : Float64Array.from(times),
  }
  return oneStep('eulerChurn', walk, (i, terms) => {
    const [to, up] = [at(points, i + 1), at(raised, i + 1)]
    if (up === to) return straight(terms, to)
    const added = Math.sqrt(sigma(up) ** 2 - sigma(to) ** 2)
    return sum([up.a / to.a, straight(terms, to)], [up.a * added * spread, terms.z])
  })
}
