/** How EDM2's U-Net is told the time of each image, and what else an image is: one vector for both. */
import type { DType } from '../../graph/dtype.ts'
import { normal } from '../../nn/init.ts'
import { compose, type Module } from '../../nn/module.ts'
import { at } from '../../prelude/array.ts'
import { foldIn, uniform } from '../../tensor/random.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { mpSilu, mpSum } from './magnitudes.ts'
import { widthsOf, type Edm2Settings } from './settings.ts'
import { mpLinear, type MpParams } from './weights.ts'

/** Frequencies and phases, [width] each, drawn once: they are parameters that get no gradient. */
export interface MpFourierParams {
  readonly frequencies: Tensor
  readonly phases: Tensor
}

/**
 * How far times lie apart, 3·t/T. Karras et al. tell ln(σ)/4 of the noise's deviation σ, which over a cosine schedule of 1,000 steps goes through 2.88
 * up to the last step but one, and 3.74 to the last; a network here is told numbers of steps and knows no schedule.
 */
const span = 3

/** √2·cos(2π·(f·3t/T + φ)) with fixed f ~ N(0, 1) and φ ~ U(0, 1): `[N] → [N, width]` (Karras et al. 2024, eq. 75). */
export const mpFourier = (width: number, times: number): Module<MpFourierParams> => ({
  init: (key) => ({
    frequencies: normal([width])(foldIn(key, 'frequencies')),
    phases: uniform(foldIn(key, 'phases'), [width]),
  }),
  apply: ({ frequencies, phases }, t) => {
    const told = t.mul(span / times).expandDims(-1)
    const turns = told.mul(frequencies.stopGradient().cast(t.dtype)).add(phases.stopGradient().cast(t.dtype))
    return turns
      .mul(2 * Math.PI)
      .cos()
      .mul(Math.SQRT2)
  },
})

/** The parameters of {@link edm2Time}. */
export interface Edm2TimeParams {
  readonly fourier: MpFourierParams
  readonly noise: MpParams
  readonly condition: MpParams | undefined
}

/** Times [N], and conditions [N, K] of the images' dtype. */
export interface Edm2TimeInput {
  readonly t: Tensor
  readonly condition: Tensor | undefined
  readonly dtype: DType
}

/**
 * `{ t: [N], condition: [N, K] } → [N, widest]`: mpSilu(mpSum(noise(fourier(t)), condition(√K·c))). A one-hot vector has a mean square of 1/K; zeros are
 * the same as none.
 */
export const edm2Time = (settings: Edm2Settings): Module<Edm2TimeParams, Edm2TimeInput> => {
  const { times = 1000, conditions = 0, conditionBalance = 0.5 } = settings
  const [first, widest] = [at(widthsOf(settings), 0), Math.max(...widthsOf(settings))]
  return compose(
    {
      fourier: mpFourier(first, times),
      noise: mpLinear(first, widest),
      condition: conditions === 0 ? undefined : mpLinear(conditions, widest),
    },
    ({ fourier, noise, condition }, { t, condition: given, dtype }: Edm2TimeInput) => {
      const time = noise(fourier(t).cast(dtype))
      if (condition === undefined) return mpSilu(time)
      const told = given === undefined ? undefined : condition(given.mul(Math.sqrt(conditions)))
      return mpSilu(mpSum(time, told, conditionBalance))
    },
  )
}
