/**
 * RePaint: a part of a picture is filled in by a network that was never trained to (Lugmayr et al. 2022, algorithm 1).
 *
 * At every level the known part is the picture itself with that level's noise, and only the rest is a step of ancestral sampling. That alone does not join the
 * two: what is filled in has been drawn before it could see what stands beside it. So the walk goes some levels back up, x noised again, and down once more,
 * often, and each time the whole is drawn as one.
 */
import { at, range } from '../../prelude/array.ts'
import { ShapeError } from '../../prelude/errors.ts'
import { requireKnown, requireWhole } from '../../prelude/options.ts'
import { showShape } from '../../graph/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { expectLevels } from '../expect.ts'
import { stepsOf, type Levels } from '../levels.ts'
import { pointsOf, tablesOf, type Point } from '../point.ts'
import type { Sampler } from '../sampler.ts'
import { gatherTable } from '../table.ts'
import type { Form } from './form.ts'
import { oneStep } from './multistep.ts'
import { ddpmForm } from './posterior.ts'

/** How often {@link repaint} goes back up. */
export interface JumpOptions {
  /**
   * How many levels it goes up at once, which is also how many lie between one place where it turns and the next; default 10, or one less than the
   * steps where these are fewer.
   */
  readonly jump?: number
  /** How often each stretch of so many levels is walked down; default 10. At 1 it never goes up. */
  readonly resamples?: number
}

/** What {@link repaint} takes. */
export interface RepaintOptions extends JumpOptions {
  /** [N, …] in [−1, 1], or latents as they are diffused. What of it is to be filled in does not matter. */
  readonly picture: Tensor
  /** 1 where the picture is to be filled in and 0 where it is known, of the picture's shape or with axes of length 1. */
  readonly fill: Tensor
}

/** A walk of {@link repaint}: x, and what it is held against at every level. */
export interface RepaintState {
  readonly x: Tensor
  readonly picture: Tensor
  readonly fill: Tensor
}

/** Steps of a walk, at most. */
const mostSteps = 1_000_000

/** A step down by one level, counted in steps that are left, and up again from there. */
interface Turn {
  readonly from: number
  readonly down: number
  /** Equal to `down` where it does not go up. */
  readonly up: number
}

/**
 * The steps of a walk: at 1, 1 + jump, 1 + 2·jump … steps before the image it goes up by `jump`, `resamples` − 1 times each (Lugmayr et al. 2022, their code's
 * `get_schedule_jump`).
 */
const turnsOf = (steps: number, { jump, resamples }: Required<JumpOptions>): readonly Turn[] => {
  const left = range(steps + 1).map((n) => (n % jump === 1 % jump && n > 0 && n + jump <= steps ? resamples - 1 : 0))
  const turns: Turn[] = []
  let from = steps
  while (from > 0) {
    const down = from - 1
    const again = (left[down] ?? 0) > 0
    if (again) left[down] = (left[down] ?? 0) - 1
    const up = again ? down + jump : down
    turns.push({ from, down, up })
    from = up
  }
  return turns
}

/** A form noised from one point up to another: both noises, each of its own, are one of the square root of the sum of their squares. */
const noisedAgain = (form: Form, from: Point, to: Point): Form => {
  const kept = to.a / from.a
  const added = Math.sqrt(Math.max(0, to.s ** 2 - (kept * from.s) ** 2))
  return form.map((factor, i) => (i === form.length - 1 ? Math.hypot(kept * factor, added) : kept * factor))
}

const requireFill = ({ picture, fill }: RepaintOptions): void => {
  const fits =
    fill.rank === picture.rank && fill.shape.every((length, axis) => length === 1 || length === picture.shape[axis])
  if (!fits)
    throw new ShapeError(
      `repaint: fill is ${showShape(fill.shape)} for a picture ${showShape(picture.shape)}; it must have its shape, or axes of length 1`,
    )
}

/**
 * The walk that fills in a part of a picture. A step down and the way up after it are one entry, so that nothing asks the network but steps down, and the last
 * of them leaves the known part as it is in the picture.
 *
 * Its states hold the picture, on which a walk is not compiled.
 *
 * @param levels those of one walk down; the sampler's own go up and down between them
 * @throws ShapeError for a fill that does not fit the picture; RangeError for jumps that are no whole numbers from 1
 * @example
 * ```ts
 * import { key, tensor, type Tensor } from 'fathom'
 * import { repaint, sample, scheduleLevels, cosineSchedule, stepsOf } from 'fathom/diffusion'
 *
 * const picture = tensor([[0.5, 0]])
 * const sampler = repaint(scheduleLevels(cosineSchedule(100), 20), { picture, fill: tensor([[0, 1]]), jump: 5, resamples: 4 })
 * stepsOf(sampler.levels) // => 65
 * const alike = (_: object, x: Tensor): Tensor => x.mean(1, true).broadcastTo(x.shape) // of pictures with pixels of one value
 * const { x } = await sample({
 *   device, denoise: alike, prediction: 'x0', sampler, shape: [1, 2], params: {}, key: key(0),
 * })
 * x.slice([], [0, 1]) // => [[0.5]]
 * ```
 */
export const repaint = (levels: Levels, options: RepaintOptions): Sampler<RepaintState> => {
  expectLevels('repaint', levels)
  requireKnown('repaint', options, ['picture', 'fill', 'jump', 'resamples'])
  const steps = stepsOf(levels)
  const { picture, fill, jump = Math.max(1, Math.min(10, steps - 1)), resamples = 10 } = options
  requireWhole('repaint', 'jump', jump, 1)
  requireWhole('repaint', 'resamples', resamples, 1)
  if (options.jump !== undefined && resamples > 1 && jump >= steps)
    throw new RangeError(
      `repaint: jump is ${jump} in a walk of ${steps} steps, which never goes up then: it must be below them`,
    )
  requireFill(options)
  const stretches = Math.floor((steps - 1) / jump)
  if (steps + stretches * jump * (resamples - 1) > mostSteps)
    throw new RangeError(
      `repaint: ${resamples} resamples of ${stretches} stretches of ${jump} steps are more than ${mostSteps.toLocaleString('en')} steps: take fewer resamples`,
    )
  const points = pointsOf(levels)
  const pointAt = (left: number): Point => at(points, steps - left)
  const turns = turnsOf(steps, { jump, resamples })
  const ends = turns.map(({ up }) => pointAt(up))
  const times = [...turns.map(({ from }) => from), 0].map((left) => levels.time[steps - left] ?? NaN)
  const visited: Levels = {
    ...tablesOf([pointAt(steps), ...ends]),
    time: levels.time instanceof Int32Array ? Int32Array.from(times) : Float64Array.from(times),
  }
  const painted = oneStep('repaint', visited, (i, terms) => {
    const { from, down, up } = at(turns, i)
    const form = ddpmForm(terms, pointAt(from), pointAt(down), 'small')
    return up === down ? form : noisedAgain(form, pointAt(down), pointAt(up))
  })
  const end = tablesOf(ends)
  return {
    levels: visited,
    init: (x) => ({ x, picture, fill }),
    step: (state, estimate, index, draw) => {
      const { x, picture: known, fill: isFilled } = state
      const beside = known.mul(gatherTable(end.signal, index, x)).add(draw().mul(gatherTable(end.noise, index, x)))
      const next = painted.step(x, estimate, index, draw)
      return { ...state, x: isFilled.greater(0).broadcastTo(x.shape).select(next, beside) }
    },
    image: ({ x }) => x,
    holds: true,
  }
}
