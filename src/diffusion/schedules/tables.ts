/** What schedules are made of: tables over all times, in f64. */
import type { NoiseSchedule, Schedule } from '../schedule.ts'

/** Keeps the logarithm of the posterior variance finite at t = 0. */
const smallestVariance = 1e-20

/** A table of all times. */
export const table = (steps: number, f: (t: number) => number): Float64Array =>
  Float64Array.from({ length: steps }, (_, t) => f(t))

/** The table's value at a time. */
export const valueAt = (values: Float64Array, t: number): number => {
  const value = values[t]
  if (value === undefined) throw new RangeError(`schedule: time ${t} is outside 0 … ${values.length - 1}`)
  return value
}

/** ᾱ_t = ∏_{s ≤ t} (1 − β_s). */
const cumulative = (betas: Float64Array): Float64Array => {
  const result = new Float64Array(betas.length)
  betas.reduce((product, beta, t) => (result[t] = product * (1 - beta)), 1)
  return result
}

/** Refuses a number of noise levels that is none. */
export const requireSteps = (name: string, steps: number): void => {
  if (!(Number.isInteger(steps) && steps > 0))
    throw new RangeError(`${name}: ${steps} steps; it must be a whole number above 0`)
}

/** All tables from variances β_t in (0, 1), the last of which may be 1: then nothing of the image is left there. */
export const tablesOf = (betas: Float64Array): Schedule => {
  const steps = betas.length
  const beta = (t: number): number => valueAt(betas, t)
  const alphaBar = cumulative(betas)
  const signal = (t: number): number => (t < 0 ? 1 : valueAt(alphaBar, t))
  const posteriorVariance = table(steps, (t) => (beta(t) * (1 - signal(t - 1))) / (1 - signal(t)))
  return {
    steps,
    betas,
    alphaBar,
    alphaBarPrevious: table(steps, (t) => signal(t - 1)),
    signal: table(steps, (t) => Math.sqrt(signal(t))),
    noise: table(steps, (t) => Math.sqrt(1 - signal(t))),
    snr: table(steps, (t) => signal(t) / (1 - signal(t))),
    posteriorVariance,
    posteriorLogVariance: posteriorVariance.map((v) => Math.log(Math.max(v, smallestVariance))),
    posteriorX0: table(steps, (t) => (beta(t) * Math.sqrt(signal(t - 1))) / (1 - signal(t))),
    posteriorXt: table(steps, (t) => ((1 - signal(t - 1)) * Math.sqrt(1 - beta(t))) / (1 - signal(t))),
  }
}

/** A schedule of signals and noises. */
export const scheduleOf = (signal: Float64Array, noise: Float64Array): NoiseSchedule => ({
  steps: signal.length,
  signal,
  noise,
  snr: signal.map((a, t) => (a / valueAt(noise, t)) ** 2),
})

/** The schedule that preserves variance and has these ᾱ, the last of which may be 0. */
export const scheduleFromAlphaBar = (alphaBar: Float64Array): Schedule =>
  tablesOf(alphaBar.map((share, t) => 1 - share / (t === 0 ? 1 : valueAt(alphaBar, t - 1))))

/** a² + s² at each of some levels of noise. */
export const powersOf = ({ signal, noise }: Pick<NoiseSchedule, 'signal' | 'noise'>): Float64Array =>
  signal.map((a, t) => a * a + valueAt(noise, t) ** 2)
