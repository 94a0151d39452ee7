/** What the ways down and up of `UNet2DModel` are made of, from its settings: blocks, attention, and what goes from stage to stage. */
import { checkpointed } from '../../nn/checkpointed.ts'
import { groupNorm } from '../../nn/groupNorm.ts'
import type { Module } from '../../nn/module.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { imageAttention, type ImageAttentionParams } from '../diffusersAttention.ts'
import type { Conditioned } from '../lucidrains/resBlock.ts'
import {
  residualBlock,
  type BlockStyle,
  type ResidualOptions,
  type ResidualParams,
  type ResizeParams,
} from './blocks.ts'
import { tokenTransformer, type TokenTransformerParams, type Worded } from './transformer.ts'
import { timeWidthOf, type BlockSize, type Unet2dSettings } from './stages.ts'

/** The settings of `unet2d`. */
export interface Unet2dOptions extends Unet2dSettings {
  /** Channels of the images, default 3. */
  readonly channels?: number
  /** Channels of the result, default `channels`. */
  readonly outChannels?: number
  /** Whether residual blocks and attention are computed again in the backward pass, for less memory of training; default false. */
  readonly checkpoint?: boolean
}

/** The names of {@link Unet2dOptions}. */
export const unet2dOptions = [
  'channels',
  'outChannels',
  'checkpoint',
  'widths',
  'layers',
  'down',
  'up',
  'attention',
  'headWidth',
  'tokenWidth',
  'heads',
  'transformerLayers',
  'linearProjection',
  'groups',
  'middleGroups',
  'epsilon',
  'activation',
  'downPadding',
  'scaleShift',
  'middleScale',
  'time',
  'times',
  'timeWidth',
  'frequencyShift',
  'cosinesFirst',
  'centre',
  'conditions',
  'conditioning',
  'dropout',
] as const

/** The parameters of a stage; `resize` is there in all but the last, and `image` beside it where stages have skip. */
export interface Unet2dStageParams<Image> {
  readonly blocks: readonly ResidualParams[]
  readonly attentions: readonly ImageAttentionParams[]
  readonly transformers: readonly TokenTransformerParams[]
  readonly resize: ResizeParams | ResidualParams | undefined
  readonly image: Image | undefined
}

/** What the results of blocks and attention in stages with skip are divided by (Song et al. 2021, appendix H). */
export const skipScale = Math.SQRT2

/** The blocks and the attention of a network. */
export interface Layers {
  readonly epsilon: number
  readonly block: (size: BlockSize, options?: ResidualOptions) => Module<ResidualParams, Conditioned>
  /** @param groups of its norm; undefined for none */
  readonly attention: (channels: number, groups: number | undefined, scale?: number) => Module<ImageAttentionParams>
  readonly transformer: (channels: number, heads: number, groups: number) => Module<TokenTransformerParams, Worded>
}

/** Those of some settings. */
export const layersOf = (settings: Unet2dOptions): Layers => {
  const {
    activation = 'silu',
    epsilon = 1e-5,
    scaleShift = false,
    dropout = 0,
    headWidth,
    checkpoint = false,
    tokenWidth = 0,
    transformerLayers = 1,
    linearProjection = false,
  } = settings
  const transformers = { tokenWidth, layers: transformerLayers, linearEnds: linearProjection }
  const style: BlockStyle = { activation, epsilon, timeWidth: timeWidthOf(settings), scaleShift, dropout }
  const kept = <P, In>(module: Module<P, In>): Module<P, In> => (checkpoint ? checkpointed(module) : module)
  return {
    epsilon,
    block: (size, options) => kept(residualBlock(size, style, options)),
    attention: (channels, groups, scale = 1) => {
      const norm = groups === undefined ? undefined : groupNorm(groups, channels, { epsilon })
      return kept(imageAttention(channels, { norm, scale, ...(headWidth !== undefined && { headWidth }) }))
    },
    transformer: (channels, heads, groups) => kept(tokenTransformer(channels, heads, groups, transformers)),
  }
}

/** What goes from stage to stage: an image, and beside it a small one of the image's own channels, where stages have skip. */
export interface Passing extends Conditioned {
  readonly small: Tensor | undefined
  readonly tokens: Tensor | undefined
}

/** What a stage on the way down gives: its result, and every image of it that the way up sees. */
export interface Descent {
  readonly x: Tensor
  readonly small: Tensor | undefined
  readonly skips: readonly Tensor[]
}

/** An image that attends to tokens where there is a transformer: it has been made sure that there are tokens then. */
export const worded = (
  transformer: ((input: Worded) => Tensor) | undefined,
  x: Tensor,
  tokens: Tensor | undefined,
): Tensor => (transformer === undefined || tokens === undefined ? x : transformer({ x, tokens }))
