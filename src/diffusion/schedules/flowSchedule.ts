/** A rectified flow at whole times: the straight path from image to noise, on which x moves at one speed. Liu et al. 2023; Esser et al. 2024. */
import type { NoiseSchedule } from '../schedule.ts'
import { requireSteps, scheduleOf, table } from './tables.ts'

/**
 * a = 1 − σ and s = σ, with σ = (t + 1) / T: the last time is pure noise, as in diffusers' `FlowMatchEulerDiscreteScheduler`. Neither ancestral
 * sampling nor a network that predicts ε can begin there; one that predicts the flow's velocity, v or x₀ can.
 *
 * @example
 * ```ts
 * import { flowSchedule } from 'fathom/diffusion'
 *
 * const { signal, noise } = flowSchedule(4)
 * signal // => [0.75, 0.5, 0.25, 0]
 * noise // => [0.25, 0.5, 0.75, 1]
 * ```
 */
export const flowSchedule = (steps: number): NoiseSchedule => {
  requireSteps('flowSchedule', steps)
  const noise = table(steps, (t) => (t + 1) / steps)
  return scheduleOf(
    noise.map((s) => 1 - s),
    noise,
  )
}
