/**
 * Shortcuts without parameters around the stages of an autoencoder (Chen et al. 2025, "Deep compression autoencoder", section 3.2): pixels are moved to
 * channels or back, and channels averaged or repeated to the number that is wanted. A stage then learns only what a linear code lacks.
 */
import { at } from '../../prelude/array.ts'
import type { DType } from '../../graph/dtype.ts'
import { iota } from '../../tensor/create.ts'
import { pixelShuffle, pixelUnshuffle } from '../../tensor/resampling.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** [inputs, outputs]: 1 where the larger side's channel j belongs to the smaller side's channel ⌊j · smaller / larger⌋. */
const belonging = (inputs: number, outputs: number, dtype: DType): Tensor => {
  const [smaller, larger] = [Math.min(inputs, outputs), Math.max(inputs, outputs)]
  const [one, other] = inputs < outputs ? [0, 1] : [1, 0]
  const shape = [inputs, outputs]
  // (j·smaller + ½) / larger is never a whole number, so that rounding cannot change its floor
  const owner = iota(shape, other, 'f32').mul(smaller).add(0.5).div(larger).floor()
  return owner.equal(iota(shape, one, 'f32')).cast(dtype)
}

/**
 * Another number of channels, without parameters: `[…, C] → […, outputs]`. Fewer are the means of neighbouring ones, more are repetitions; repeating
 * and averaging again gives the same channels.
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { resizeChannels } from 'fathom/models'
 *
 * resizeChannels(tensor([[1, 3, 10, 20]]), 2) // => [[2, 15]]
 * resizeChannels(tensor([[1, 2]]), 4) // => [[1, 1, 2, 2]]
 * resizeChannels(tensor([[1, 2, 3]]), 4) // => [[1, 1, 2, 3]]
 * ```
 */
export const resizeChannels = (x: Tensor, outputs: number): Tensor => {
  const channels = at(x.shape, x.rank - 1)
  const rest = x.shape.slice(0, -1)
  if (channels === outputs) return x
  if (channels % outputs === 0) return x.reshape([...rest, outputs, channels / outputs]).mean(-1)
  if (outputs % channels === 0)
    return x
      .expandDims(-1)
      .broadcastTo([...rest, channels, outputs / channels])
      .reshape([...rest, outputs])
  const matrix = belonging(channels, outputs, x.dtype)
  return x.matmul(matrix.div(matrix.sum(0, true)))
}

/** Half the size: `[N, H, W, C] → [N, H/2, W/2, outputs]`. */
export const downShortcut = (x: Tensor, outputs: number): Tensor => resizeChannels(pixelUnshuffle(x, 2), outputs)

/** Twice the size: `[N, H, W, C] → [N, 2H, 2W, outputs]`. */
export const upShortcut = (x: Tensor, outputs: number): Tensor => pixelShuffle(resizeChannels(x, 4 * outputs), 2)
