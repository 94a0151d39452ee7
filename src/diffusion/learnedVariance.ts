/**
 * Variances that a network learns, Nichol & Dhariwal 2021, section 3.1: beside its prediction it says for each element where the variance of the step
 * back lies between the least and the greatest that it can be, β̃_t and β_t.
 */
import { at } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { showShape } from '../graph/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { expectChain } from './expect.ts'
import type { Schedule } from './schedule.ts'
import { gatherTable } from './table.ts'

/** The halves of what a network says that learns variances. */
export interface SaidVariance {
  /** Like x: what is predicted. */
  readonly prediction: Tensor
  /** Like x: the share f of β_t in the logarithm of the variance; 0 is β̃_t and 1 is β_t. Nothing keeps it between. */
  readonly fraction: Tensor
}

/**
 * The halves of an output: a prediction, and f = (v + 1)/2 of what stands behind it.
 *
 * @param output [N, …, 2C]
 * @param x [N, …, C]
 * @throws ShapeError for an output of other channels
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { splitVariance } from 'fathom/diffusion'
 *
 * const { prediction, fraction } = splitVariance(tensor([[5, 6, -1, 1]]), tensor([[0, 0]]))
 * prediction // => [[5, 6]]
 * fraction // => [[0, 1]]
 * ```
 */
export const splitVariance = (output: Tensor, x: Tensor): SaidVariance => {
  const channels = at(x.shape, x.rank - 1)
  const expected = [...x.shape.slice(0, -1), 2 * channels]
  if (showShape(output.shape) !== showShape(expected))
    throw new ShapeError(
      `splitVariance: the network's output is ${showShape(output.shape)} for ${showShape(x.shape)}; with variances it must be ${showShape(expected)}`,
    )
  const half = (start: number): Tensor =>
    output.slice(...x.shape.slice(1).map((): readonly [] => []), [start, start + channels])
  return { prediction: half(0), fraction: half(channels).add(1).mul(0.5) }
}

/**
 * The prediction in an output, whether or not variances stand behind it.
 *
 * @param x what the output is of
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { predictionIn } from 'fathom/diffusion'
 *
 * const x = tensor([[0, 0]])
 * predictionIn(tensor([[1, 2, 0, 1]]), x) // => [[1, 2]]
 * predictionIn(tensor([[1, 2]]), x) // => [[1, 2]]
 * ```
 */
export const predictionIn = (output: Tensor, x: Tensor): Tensor =>
  output.shape.at(-1) === x.shape.at(-1) ? output : splitVariance(output, x).prediction

/** log β̃_t, of which the first, which is −∞, is that of the second (Nichol & Dhariwal's code). */
const leastLogs = ({ posteriorVariance }: Schedule): Float64Array =>
  posteriorVariance.map((_, t) => Math.log(posteriorVariance[Math.max(1, t)] ?? at([...posteriorVariance], t)))

/**
 * log σ_t² = f·log β_t + (1 − f)·log β̃_t (Nichol & Dhariwal 2021, eq. 15); β̃₀, which is 0, counts as β̃₁.
 *
 * @param fraction f [N, …]
 * @param t [N], i32 or u32
 * @throws RangeError for a schedule of one time
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { learnedLogVariance, scheduleFromBetas } from 'fathom/diffusion'
 *
 * const schedule = scheduleFromBetas(Float64Array.of(0.2, 0.75)) // β̃ = 0, 0.1875
 * learnedLogVariance(schedule, tensor([[0], [1]]), tensor(Int32Array.of(1, 1))).exp() // => [[0.1875], [0.75]]
 * ```
 */
export const learnedLogVariance = (schedule: Schedule, fraction: Tensor, t: Tensor): Tensor => {
  expectChain('learnedLogVariance', schedule, 'learnedLogVariance(schedule, fraction, t)')
  if (schedule.steps < 2)
    throw new RangeError('learnedLogVariance: the schedule has one time, in which there is no variance to learn')
  const least = gatherTable(leastLogs(schedule), t, fraction)
  const most = gatherTable(schedule.betas.map(Math.log), t, fraction)
  return least.add(fraction.mul(most.sub(least)))
}
