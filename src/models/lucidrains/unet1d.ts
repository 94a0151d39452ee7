/** The U-Net over sequences: lucidrains' blocks along one axis. */
import type { Module } from '../../nn/module.ts'
import { line } from './axes.ts'
import { unetOver, type UnetInput, type UnetOptions, type UnetParams } from './unet.ts'

/**
 * A U-Net that reads noisy sequences and their times, and gives sequences of the same length: `x [N, L, channels], t [N] → [N, L, outChannels]`. Options
 * are those of `unet`, but that the channels are 1 unless they are named. L is divisible by 2^(stages − 1). With `memory: 0` and linear attention in all
 * stages (`fullAttention`) it is lucidrains' `Unet1D` but for attention at its bottom.
 *
 * @throws RangeError for sizes that do not fit together; ShapeError for sequences of another length, naming what must divide it
 * @example
 * ```ts
 * import { key, tensor, zeros } from 'fathom'
 * import { unet1d } from 'fathom/models'
 *
 * const model = unet1d({ width: 8, multipliers: [1, 2] })
 * model.apply(model.init(key(0)), { x: zeros([2, 64, 1]), t: tensor(Int32Array.of(0, 999)) }).shape // => [2, 64, 1]
 * ```
 */
export const unet1d = (options: UnetOptions): Module<UnetParams, UnetInput> =>
  unetOver(line, { channels: 1, ...options })
