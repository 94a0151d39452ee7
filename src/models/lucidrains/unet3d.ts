/** The U-Net over frames: lucidrains' blocks along three axes. */
import type { Module } from '../../nn/module.ts'
import { frames } from './axes.ts'
import { unetOver, type UnetInput, type UnetOptions, type UnetParams } from './unet.ts'

/**
 * A U-Net that reads noisy frames and their times, and gives as many of the same size: `x [N, T, H, W, channels], t [N] → [N, T, H, W, outChannels]`.
 * Options are those of `unet`. Height and width are divisible by 2^(stages − 1); T is any number, for frames stay as many (lucidrains' `KarrasUnet3D`
 * calls such halvings those of images).
 *
 * @throws RangeError for sizes that do not fit together; ShapeError for frames of another size, naming the ones that fit
 * @example
 * ```ts
 * import { key, tensor, zeros } from 'fathom'
 * import { unet3d } from 'fathom/models'
 *
 * const model = unet3d({ width: 8, multipliers: [1, 2] })
 * model.apply(model.init(key(0)), { x: zeros([2, 3, 8, 8, 3]), t: tensor(Int32Array.of(0, 999)) }).shape // => [2, 3, 8, 8, 3]
 * ```
 */
export const unet3d = (options: UnetOptions): Module<UnetParams, UnetInput> => unetOver(frames, options)
