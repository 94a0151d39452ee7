/** On which scale latents are diffused: measured over the pictures, so that each channel has mean 0 and deviation 1. */
import type { LatentScaling } from '../../../models/autoencoder/scaling.ts'
import { range } from '../../../prelude/array.ts'

/** Deviations below this are of a channel that says nothing: it is left as it is. */
const leastDeviation = 1e-6

/**
 * Mean and deviation of each channel over all latents.
 *
 * @param latents of any number of pictures, channels last
 */
export const scalingOf = (latents: readonly Float32Array[], channels: number): LatentScaling => {
  const sums = new Float64Array(channels)
  const squares = new Float64Array(channels)
  let count = 0
  for (const values of latents) count += values.length / channels
  const eachValue = (f: (channel: number, value: number) => void): void => {
    for (const values of latents) values.forEach((value, i) => f(i % channels, value))
  }
  eachValue((c, value) => (sums[c] = (sums[c] ?? 0) + value))
  const mean = range(channels).map((c) => (sums[c] ?? 0) / count)
  eachValue((c, value) => (squares[c] = (squares[c] ?? 0) + (value - (mean[c] ?? 0)) ** 2))
  const deviation = range(channels).map((c) => {
    const s = Math.sqrt((squares[c] ?? 0) / count)
    return s < leastDeviation ? 1 : s
  })
  return { factor: 1, mean, deviation }
}
