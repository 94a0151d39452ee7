/** A stage of `UNet2DModel` on the way up. */
import { silu } from '../../nn/activations.ts'
import { conv2d, type Conv2dParams } from '../../nn/conv2d.ts'
import { groupNorm, type GroupNormParams } from '../../nn/groupNorm.ts'
import { compose, type Module } from '../../nn/module.ts'
import { at } from '../../prelude/array.ts'
import { concatenate } from '../../tensor/combine.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { doublingConvolution } from './blocks.ts'
import { firUpsample } from './fir.ts'
import {
  skipScale,
  worded,
  type Descent,
  type Layers,
  type Passing,
  type Unet2dOptions,
  type Unet2dStageParams,
} from './layers.ts'
import { stageKinds, type Stage } from './stages.ts'

/** What makes an image of a stage with skip on the way up: a norm, and a 3×3 convolution to the image's channels. */
export interface ImageHeadParams {
  readonly norm: GroupNormParams
  readonly conv: Conv2dParams
}

/** What a stage on the way up gives. */
export type Rise = Omit<Descent, 'skips'>

/** One block more than on the way down, each of which also sees an image from there, the last first; and twice the size, but in the last stage. */
export const upStage = (
  { kind, width, blocks, attentionGroups, heads, resizing, resizes }: Stage,
  { channels = 3, outChannels = channels }: Unet2dOptions,
  { block, attention, transformer, epsilon }: Layers,
): Module<Unet2dStageParams<ImageHeadParams>, Passing & Descent, Rise> => {
  const { attention: isAttentive, resize } = stageKinds[kind]
  const isFir = resize === 'fir'
  const scale = isFir ? skipScale : 1
  const doubling = {
    convolution: () => doublingConvolution(width),
    residual: () => block(resizing, { resampling: 'double' }),
    fir: () => block(resizing, { resampling: 'double smoothly', scale, learnedSkip: true }),
  }
  const attentions = isFir ? blocks.slice(0, 1) : blocks // with a small image attention follows the last block alone
  return compose(
    {
      blocks: blocks.map((size) => block(size, { scale })),
      attentions: isAttentive ? attentions.map(() => attention(width, attentionGroups, scale)) : [],
      transformers: kind === 'cross-attention' ? blocks.map(() => transformer(width, heads, attentionGroups)) : [],
      resize: resizes ? doubling[resize]() : undefined,
      image:
        resizes && isFir
          ? compose(
              {
                norm: groupNorm(resizing.groups[0], width, { epsilon }),
                conv: conv2d(width, outChannels, 3, { padding: 1 }),
              },
              ({ norm, conv }, x: Tensor) => conv(silu(norm(x))),
            )
          : undefined,
    },
    ({ blocks, attentions, transformers, resize, image }, { x, time, small, skips, tokens }: Passing & Descent) => {
      const through = blocks.reduce((y, block, i) => {
        const z = block({ x: concatenate([y, at(skips, skips.length - 1 - i)], -1), time })
        const attend = isFir ? undefined : attentions[i]
        return worded(transformers[i], attend === undefined ? z : attend(z), tokens)
      }, x)
      const last = isFir ? (attentions[0]?.(through) ?? through) : through
      const larger = isFir && small !== undefined ? firUpsample(small) : small
      const added = image?.(last)
      return {
        x: resize === undefined ? last : resize({ x: last, time }),
        small: added === undefined ? larger : (larger?.add(added) ?? added),
      }
    },
  )
}
