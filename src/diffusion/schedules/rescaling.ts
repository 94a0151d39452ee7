/** A schedule made of another: with pure noise at its end, or with more noise for larger pictures. */
import { requirePositive } from '../../prelude/options.ts'
import { expectChain, expectSchedule } from '../expect.ts'
import { isChain, type NoiseSchedule, type Schedule } from '../schedule.ts'
import { scheduleFromAlphaBar, scheduleOf, valueAt } from './tables.ts'

/**
 * The schedule moved and stretched so that nothing of the image is left at its last time (Lin et al. 2024, algorithm 1). Others end with a little of the
 * image, above all its mean light, and pictures drawn from pure noise are then all of middling brightness. A network that predicts ε says nothing
 * of the image there: take v.
 *
 * @example
 * ```ts
 * import { linearSchedule, zeroTerminalSnr } from 'fathom/diffusion'
 *
 * const { alphaBar, betas } = zeroTerminalSnr(linearSchedule(1000))
 * alphaBar.at(0) // => 0.9999
 * alphaBar.at(499) // => 0.076029
 * alphaBar.at(-1) // => 0
 * betas.at(-1) // => 1
 * ```
 */
export const zeroTerminalSnr = (schedule: Schedule): Schedule => {
  expectChain('zeroTerminalSnr', schedule, 'zeroTerminalSnr(schedule)')
  const { signal, steps } = schedule
  const [first, last] = [valueAt(signal, 0), valueAt(signal, steps - 1)]
  if (steps < 2) throw new RangeError('zeroTerminalSnr: a schedule of one time has no end that is not its beginning')
  const scale = first / (first - last)
  // √ᾱ' = (√ᾱ − √ᾱ_T)·√ᾱ_0 / (√ᾱ_0 − √ᾱ_T)
  return scheduleFromAlphaBar(signal.map((a) => ((a - last) * scale) ** 2))
}

/**
 * The schedule with s/a, the ratio of noise to signal, multiplied at every time. Neighbouring pixels of a large picture say the same, so that noise of
 * one strength hides less of it: a picture of m times the side takes m times the ratio (Hoogeboom et al. 2023, section 3; Esser et al. 2024, eq. 23, where
 * it is the shift of a flow, σ' = mσ / (1 + (m − 1)σ)). Where variance was preserved it still is, and elsewhere a + s is what it was.
 *
 * @param factor above 0; 1 changes nothing
 * @example
 * ```ts
 * import { flowSchedule, shiftedSchedule } from 'fathom/diffusion'
 *
 * shiftedSchedule(flowSchedule(4), 3).noise // => [0.5, 0.75, 0.9, 1]
 * ```
 */
export const shiftedSchedule = (schedule: NoiseSchedule, factor: number): NoiseSchedule => {
  expectSchedule('shiftedSchedule', schedule, 'shiftedSchedule(schedule, factor)')
  requirePositive('shiftedSchedule', 'factor', factor)
  if (factor === 1) return schedule
  const { signal, noise } = schedule
  const noisier = noise.map((s) => factor * s)
  if (isChain(schedule)) return scheduleFromAlphaBar(signal.map((a, t) => (a * a) / (a * a + valueAt(noisier, t) ** 2)))
  const sum = signal.map((a, t) => (a + valueAt(noisier, t)) / (a + valueAt(noise, t)))
  return scheduleOf(
    signal.map((a, t) => a / valueAt(sum, t)),
    noisier.map((s, t) => s / valueAt(sum, t)),
  )
}
