/**
 * Fourier features of diffusion times whose frequencies are drawn, and learned or not: Tancik et al. 2020, eq. 5, with the time itself, as
 * denoising-diffusion-pytorch has it.
 */
import { concatenate } from '../tensor/combine.ts'
import { normal } from '../tensor/random.ts'
import { isDifferentiable, type Tensor } from '../tensor/tensor.ts'
import type { Module } from './module.ts'

/** The parameters of {@link fourierTimeEmbedding}: `frequencies` is [width / 2]. */
export interface FourierTimeParams {
  readonly frequencies: Tensor
}

/**
 * (t, sin(2π·t·wᵢ)…, cos(2π·t·wᵢ)…) with wᵢ ~ N(0, 1) at first: `[N] → [N, width + 1]`. It is meant for times of the size of 1, such as shares of
 * a schedule. Where the frequencies are not learned, no gradient reaches them; they are among the parameters, so that a file of weights holds them,
 * and an optimizer with weight decay must be told to pass them over (`decays`).
 *
 * @param width even, at least 2
 * @param learned whether gradients reach the frequencies, default true
 * @throws RangeError for another width
 * @example
 * ```ts
 * import { key, tensor } from 'fathom'
 * import { fourierTimeEmbedding } from 'fathom/nn'
 *
 * const embed = fourierTimeEmbedding(2)
 * embed.init(key(0)).frequencies.shape // => [1]
 * embed.apply({ frequencies: tensor([0.5]) }, tensor([0, 1])) // => [[0, 0, 1], [1, 0, -1]]
 * ```
 */
export const fourierTimeEmbedding = (width: number, learned = true): Module<FourierTimeParams> => {
  if (!(Number.isInteger(width) && width >= 2 && width % 2 === 0))
    throw new RangeError(`fourierTimeEmbedding: the width is ${width}; it must be even and at least 2`)
  return {
    init: (key) => ({ frequencies: normal(key, [width / 2]) }),
    apply: ({ frequencies }, t) => {
      const time = (isDifferentiable(t) ? t : t.cast('f32')).expandDims(-1)
      const own = (learned ? frequencies : frequencies.stopGradient()).cast(time.dtype)
      const angles = time.mul(own).mul(2 * Math.PI)
      return concatenate([time, angles.sin(), angles.cos()], -1)
    },
  }
}
