/** How `UNet2DModel` is told the time of each image, and what else an image is: one vector for both. */
import type { DType } from '../../graph/dtype.ts'
import { normal } from '../../nn/init.ts'
import { silu } from '../../nn/activations.ts'
import { embedding, type EmbeddingParams } from '../../nn/embedding.ts'
import { linear, type LinearParams } from '../../nn/linear.ts'
import { compose, type Module, type NoParams } from '../../nn/module.ts'
import { sinusoidalTimeEmbedding } from '../../nn/timeEmbedding.ts'
import { at } from '../../prelude/array.ts'
import { concatenate } from '../../tensor/combine.ts'
import { foldIn } from '../../tensor/random.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { timeWidthOf, type Unet2dSettings } from './stages.ts'

/** Frequencies of {@link fourierTimeEmbedding}, [width / 2], drawn once. */
export interface FourierParams {
  readonly weight: Tensor
}

/** Deviation of the frequencies (Song et al. 2021, section C.3 of the appendix). */
const frequencyScale = 16

/**
 * (sin(2π·f·log σ)…, cos(2π·f·log σ)…) with fixed frequencies f ~ N(0, 16²): `[N] → [N, 2·frequencies]`. They are parameters that get no gradient
 * (Tancik et al. 2020, "Fourier features").
 */
export const fourierTimeEmbedding = (frequencies: number): Module<FourierParams> => ({
  init: (key) => ({ weight: normal([frequencies], frequencyScale)(foldIn(key, 'weight')) }),
  apply: ({ weight }, sigma) => {
    const turns = sigma.log().expandDims(-1).mul(weight.stopGradient().cast(sigma.dtype))
    const angles = turns.mul(2 * Math.PI)
    return concatenate([angles.sin(), angles.cos()], -1)
  },
})

/** A small network of two linear layers. */
export interface TimeLayersParams {
  readonly hidden: LinearParams
  readonly out: LinearParams
}

const timeLayers = (inputs: number, outputs: number): Module<TimeLayersParams> =>
  compose({ hidden: linear(inputs, outputs), out: linear(outputs, outputs) }, ({ hidden, out }, x: Tensor) =>
    out(silu(hidden(x))),
  )

/** The parameters of {@link timeNetwork}. */
export interface TimeParams extends TimeLayersParams {
  readonly embedding: NoParams | FourierParams | EmbeddingParams
  readonly condition: LinearParams | TimeLayersParams | undefined
}

/** Times [N], and conditions [N, K] of the images' dtype. */
export interface TimeInput {
  readonly t: Tensor
  readonly condition: Tensor | undefined
  readonly dtype: DType
}

const embeddingOf = ({ widths, time = 'positional', times = 0, ...sinusoids }: Unet2dSettings) => {
  const { frequencyShift = 0, cosinesFirst = true } = sinusoids
  const width = at(widths, 0)
  switch (time) {
    case 'positional':
      return sinusoidalTimeEmbedding(width, { shift: frequencyShift, cosinesFirst })
    case 'fourier':
      return fourierTimeEmbedding(width)
    case 'learned':
      return tableOf(times, width)
  }
}

/** A vector for each of the times 0, 1, … */
const tableOf = (times: number, width: number): Module<EmbeddingParams> => {
  const table = embedding(times, width)
  return { init: table.init, apply: (params, t, mode) => table.apply(params, t.cast('i32'), mode) }
}

/**
 * `{ t: [N], condition: [N, K] } → [N, timeWidth]`: linear(silu(linear(embedding(t)))), and what the condition says added to it.
 *
 * A linear condition has no bias, so that zeros are the same as none; with one-hot vectors it is a table of classes.
 */
export const timeNetwork = (settings: Unet2dSettings): Module<TimeParams, TimeInput> => {
  const { conditions = 0, conditioning = 'linear' } = settings
  const width = timeWidthOf(settings)
  const inputs = settings.time === 'fourier' ? 2 * at(settings.widths, 0) : at(settings.widths, 0)
  const layers = {
    linear: linear(conditions, width, { bias: false }),
    time: timeLayers(inputs, width),
    vector: undefined,
  }
  return compose(
    {
      embedding: embeddingOf(settings),
      hidden: linear(inputs, width),
      out: linear(width, width),
      condition: conditions === 0 ? undefined : layers[conditioning],
    },
    ({ embedding, hidden, out, condition }, { t, condition: given, dtype }: TimeInput) => {
      const time = out(silu(hidden(embedding(t).cast(dtype))))
      if (given === undefined) return time
      const told = conditioning === 'time' ? embedding(given.reshape([at(given.shape, 0)])).cast(dtype) : given
      return time.add(condition === undefined ? told : condition(told))
    },
  )
}
