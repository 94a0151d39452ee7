/** Sinusoidal embedding of diffusion times, Vaswani et al. 2017, section 3.5, with the spacing of Ho et al. 2020's code, or another. */
import { requireKnown } from '../prelude/options.ts'
import { range } from '../prelude/array.ts'
import { concatenate } from '../tensor/combine.ts'
import { constant } from '../tensor/create.ts'
import { isDifferentiable, type Tensor } from '../tensor/tensor.ts'
import { lift, type Module, type NoParams } from './module.ts'

/** The spacing and the order of the sinusoids. */
export interface TimeEmbeddingOptions {
  /** θ: the longest wavelength over 2π, default 10,000. */
  readonly theta?: number
  /** s of ωᵢ = θ^(−i / (half − s)), default 1: the last frequency is then 1/θ. */
  readonly shift?: number
  /** Whether the cosines stand before the sines, default false. */
  readonly cosinesFirst?: boolean
}

/**
 * (sin(t·ωᵢ)…, cos(t·ωᵢ)…) with ωᵢ = θ^(−i / (half − s)), i = 0 … half − 1: `[N] → [N, width]`, half = width / 2. Times of an integer dtype
 * give f32, floats keep their dtype; angles of halves are taken in f32.
 *
 * @param width even, more than 2·s
 * @throws RangeError for another width
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { sinusoidalTimeEmbedding } from 'fathom/nn'
 *
 * const embed = sinusoidalTimeEmbedding(4)
 * embed.apply({}, tensor(Int32Array.of(0, 1))) // => [[0, 0, 1, 1], [0.8415, 0.0001, 0.5403, 1.0000]]
 * ```
 */
export const sinusoidalTimeEmbedding = (width: number, options: TimeEmbeddingOptions = {}): Module<NoParams> => {
  requireKnown('sinusoidalTimeEmbedding', options, ['theta', 'shift', 'cosinesFirst'])
  const { theta = 10000, shift = 1, cosinesFirst = false } = options
  const half = width / 2
  if (width % 2 !== 0 || half < 1 || half <= shift)
    throw new RangeError(
      `sinusoidalTimeEmbedding: the width is ${width}; it must be even and at least ${2 * Math.max(1, Math.floor(shift) + 1)}`,
    )
  const frequencies = range(half).map((i) => Math.exp((-Math.log(theta) * i) / (half - shift)))
  return lift((t: Tensor) => {
    const time = isDifferentiable(t) && t.dtype !== 'f16' ? t : t.cast('f32')
    const angles = time.expandDims(-1).mul(constant(frequencies, { dtype: time.dtype }))
    const [sines, cosines] = [angles.sin(), angles.cos()]
    const waves = concatenate(cosinesFirst ? [cosines, sines] : [sines, cosines], -1)
    return t.dtype === 'f16' ? waves.cast('f16') : waves
  })
}
