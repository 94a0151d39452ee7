/** A stage of `UNet2DModel` on the way down. */
import { linear, type LinearParams } from '../../nn/linear.ts'
import { compose, type Module } from '../../nn/module.ts'
import { at } from '../../prelude/array.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { halvingConvolution } from './blocks.ts'
import { firDownsample } from './fir.ts'
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

/** What a stage with skip does to the small image on the way down: a 1×1 convolution from its channels to the stage's. */
export interface SmallImageParams {
  readonly project: LinearParams
}

/** Every image on a way, the first included. */
const along = <T>(steps: readonly ((x: T) => T)[], first: T): readonly T[] =>
  steps.reduce<readonly T[]>((done, step) => [...done, step(at(done, done.length - 1))], [first])

/** Blocks, each with attention behind it where there is any, and half the size; the last stage keeps its size. */
export const downStage = (
  { kind, width, blocks, attentionGroups, heads, resizing, resizes }: Stage,
  { downPadding = 1, channels = 3 }: Unet2dOptions,
  { block, attention, transformer }: Layers,
): Module<Unet2dStageParams<SmallImageParams>, Passing, Descent> => {
  const { attention: isAttentive, resize } = stageKinds[kind]
  const scale = resize === 'fir' ? skipScale : 1
  const halving = {
    convolution: () => halvingConvolution(width, downPadding),
    residual: () => block(resizing, { resampling: 'halve' }),
    fir: () => block(resizing, { resampling: 'halve smoothly', scale, learnedSkip: true }),
  }
  return compose(
    {
      blocks: blocks.map((size) => block(size, { scale })),
      attentions: isAttentive ? blocks.map(() => attention(width, attentionGroups, scale)) : [],
      transformers: kind === 'cross-attention' ? blocks.map(() => transformer(width, heads, attentionGroups)) : [],
      resize: resizes ? halving[resize]() : undefined,
      image:
        resizes && resize === 'fir'
          ? compose({ project: linear(channels, width) }, ({ project }, small: Tensor) => project(small))
          : undefined,
    },
    ({ blocks, attentions, transformers, resize, image }, { x, time, small, tokens }: Passing): Descent => {
      const steps = blocks.map((block, i) => (y: Tensor) => {
        const z = block({ x: y, time })
        return worded(transformers[i], attentions[i]?.(z) ?? z, tokens)
      })
      const images = along(steps, x)
      const [last, skips] = [at(images, images.length - 1), images.slice(1)]
      if (resize === undefined) return { x: last, small, skips }
      const half = resize({ x: last, time })
      if (image === undefined || small === undefined) return { x: half, small, skips: [...skips, half] }
      const smaller = firDownsample(small)
      const joined = half.add(image(smaller))
      return { x: joined, small: smaller, skips: [...skips, joined] }
    },
  )
}
