/** Sinusoidal embedding of diffusion times, Vaswani et al. 2017, section 3.5, with the spacing of Ho et al. 2020's code. */
import { range } from '../prelude/array.ts'
import { concatenate } from '../tensor/combine.ts'
import { constant } from '../tensor/create.ts'
import { isDifferentiable, type Tensor } from '../tensor/tensor.ts'
import { lift, type Module, type NoParams } from './module.ts'

/**
 * (sin(t·ωᵢ)…, cos(t·ωᵢ)…) with ωᵢ = θ^(−i / (half − 1)), i = 0 … half − 1: `[N] → [N, width]`, half = width / 2. Times of an integer dtype
 * give f32, floats keep their dtype.
 *
 * @param width even, at least 4
 * @param options theta: the longest wavelength over 2π, default 10,000
 * @throws RangeError for a width that is odd or below 4
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { sinusoidalTimeEmbedding } from 'fathom/nn'
 *
 * const embed = sinusoidalTimeEmbedding(4)
 * embed.apply({}, tensor(Int32Array.of(0, 1))) // => [[0, 0, 1, 1], [0.8415, 0.0001, 0.5403, 1.0000]]
 * ```
 */
export const sinusoidalTimeEmbedding = (
  width: number,
  { theta = 10000 }: { readonly theta?: number } = {},
): Module<NoParams> => {
  if (width % 2 !== 0 || width < 4)
    throw new RangeError(`sinusoidalTimeEmbedding: the width is ${width}; it must be even and at least 4`)
  const half = width / 2
  const frequencies = range(half).map((i) => Math.exp((-Math.log(theta) * i) / (half - 1)))
  return lift((t: Tensor) => {
    const time = isDifferentiable(t) ? t : t.cast('f32')
    const angles = time.expandDims(-1).mul(constant(frequencies, { dtype: time.dtype }))
    return concatenate([angles.sin(), angles.cos()], -1)
  })
}
