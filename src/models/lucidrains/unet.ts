/**
 * lucidrains' U-Net (denoising-diffusion-pytorch 2.3.1, `Unet`): the network of Ho et al. 2020 with RMS normalisation, a scale and shift
 * by the time in every residual block, linear attention at the large sizes and full attention at the small ones.
 */
import { requireKnown } from '../../prelude/options.ts'
import { at, range } from '../../prelude/array.ts'
import { gelu } from '../../nn/activations.ts'
import { pixelAttention, type PixelAttentionOptions } from './attention.ts'
import { checkpointed } from '../../nn/checkpointed.ts'
import { linear } from '../../nn/linear.ts'
import { linearAttention } from './linearAttention.ts'
import { compose, type Module, type ParamsOf } from '../../nn/module.ts'
import { fourierTimeEmbedding } from '../../nn/fourierTimeEmbedding.ts'
import { sinusoidalTimeEmbedding } from '../../nn/timeEmbedding.ts'
import { plane, type Axes } from './axes.ts'
import { concatenate } from '../../tensor/combine.ts'
import { zerosLike } from '../../tensor/create.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { requireInput } from '../requireInput.ts'
import { resBlock, type Conditioned } from './resBlock.ts'

/**
 * How the network sees times: by sinusoids of fixed frequencies, for times that are numbers of steps; or by Fourier features of 16 numbers, whose frequencies
 * are drawn from a normal distribution and `learned`, or stay as they are (`random`), for times of the size of 1.
 */
export type UnetTime = 'sinusoidal' | 'learned' | 'random'

/** The size of a U-Net. A stage is one image size; a list gives one value for each stage, from the largest image to the smallest. */
export interface UnetOptions {
  /** Channels of the images, default 3. */
  readonly channels?: number
  /** The width that the stages multiply; even, at least 4. */
  readonly width: number
  /** Width of each stage in multiples of `width`, default [1, 2, 4, 8]. */
  readonly multipliers?: readonly number[]
  /** Channels of the result, default `channels`. */
  readonly outChannels?: number
  /** Width after the first convolution, default `width`. */
  readonly initWidth?: number
  /** Where pixels attend to all pixels, and not linearly; default only in the last stage. */
  readonly fullAttention?: readonly boolean[]
  /** Attention heads, default 4. */
  readonly heads?: number | readonly number[]
  /** Channels of each head, default 32. */
  readonly headWidth?: number | readonly number[]
  /** Learned keys and values of each attention layer, default 4. */
  readonly memory?: number
  /** Dropout rate in the residual blocks, default 0. */
  readonly dropout?: number
  /** Length of the vector that says what else an image is; default 0, without one. */
  readonly conditions?: number
  /** Whether the network also reads an estimate of its images (self-conditioning, Chen et al. 2022), default false. */
  readonly selfCondition?: boolean
  /** How times are seen, default sinusoidal. */
  readonly time?: UnetTime
  /** Whether residual blocks and attention are computed again in the backward pass, for less than half the memory of training; default false. */
  readonly checkpoint?: boolean
}

/** Noisy images [N, H, W, channels], and the time of each: [N], of an integer or a floating-point dtype. */
export interface UnetInput {
  readonly x: Tensor
  readonly t: Tensor
  /** What else each image is, [N, conditions]; zeros say nothing, as does its absence. */
  readonly condition?: Tensor | undefined
  /** What is thought of each image so far, like x, for a network with `selfCondition`; zeros where nothing is, as is its absence. */
  readonly estimate?: Tensor | undefined
}

interface Stage {
  readonly inner: number
  readonly outer: number
  readonly full: boolean
  readonly attention: PixelAttentionOptions
}

const perStage = <T>(name: string, list: readonly T[], count: number): readonly T[] => {
  if (list.length !== count)
    throw new RangeError(`unet: ${name} has ${list.length} values for ${count} stages (one for each multiplier)`)
  return list
}

const repeated = (value: number | readonly number[], count: number): readonly number[] =>
  typeof value === 'number' ? range(count).map(() => value) : value

/** The stages from the largest image to the smallest: widths before and after, and their attention. */
const stagesOf = ({
  width,
  multipliers = [1, 2, 4, 8],
  initWidth = width,
  fullAttention,
  heads = 4,
  headWidth = 32,
  memory = 4,
}: UnetOptions): readonly Stage[] => {
  const count = multipliers.length
  if (count === 0) throw new RangeError('unet: multipliers is empty; it needs one number for each stage')
  const widths = [initWidth, ...multipliers.map((m) => m * width)]
  const full = perStage('fullAttention', fullAttention ?? multipliers.map((_, i) => i === count - 1), count)
  const [headCounts, headWidths] = [
    perStage('heads', repeated(heads, count), count),
    perStage('headWidth', repeated(headWidth, count), count),
  ]
  return multipliers.map((_, i) => ({
    outer: at(widths, i),
    inner: at(widths, i + 1),
    full: at(full, i),
    attention: { heads: at(headCounts, i), headWidth: at(headWidths, i), memory },
  }))
}

/** The layers of this network that hold most of its intermediate values, checkpointed if asked. */
const layersOf = (axes: Axes, timeWidth: number, dropout: number, checkpoint: boolean) => {
  const kept = <P, In, Out>(module: Module<P, In, Out>): Module<P, In, Out> =>
    checkpoint ? checkpointed(module) : module
  const full = (channels: number, options: PixelAttentionOptions) =>
    kept(axes.overPlaces(pixelAttention(channels, options)))
  return {
    ...axes,
    block: (inputs: number, outputs: number) => kept(resBlock(inputs, outputs, timeWidth, dropout, axes.conv)),
    fullAttention: full,
    stageAttention: (channels: number, stage: Stage) =>
      stage.full ? full(channels, stage.attention) : kept(axes.overPlaces(linearAttention(channels, stage.attention))),
  }
}

type Layers = ReturnType<typeof layersOf>

/** What a stage on the way down gives: its result, and two images for the stage of the same size on the way up. */
interface Descent {
  readonly x: Tensor
  readonly skips: readonly [Tensor, Tensor]
}

/** Two residual blocks, attention, and half the size; the last stage keeps its size. */
const downStage = (stage: Stage, last: boolean, { block, stageAttention, conv, down }: Layers) =>
  compose(
    {
      block1: block(stage.outer, stage.outer),
      block2: block(stage.outer, stage.outer),
      attention: stageAttention(stage.outer, stage),
      resize: last ? conv(stage.outer, stage.inner, 3) : down(stage.outer, stage.inner),
    },
    ({ block1, block2, attention, resize }, { x, time }: Conditioned): Descent => {
      const first = block1({ x, time })
      const second = block2({ x: first, time })
      const attended = attention(second).add(second)
      return { x: resize(attended), skips: [first, attended] }
    },
  )

/** Two residual blocks that also see the skips, attention, and twice the size; the stage of the largest image keeps its size. */
const upStage = (stage: Stage, last: boolean, { block, stageAttention, conv, up }: Layers) =>
  compose(
    {
      block1: block(stage.inner + stage.outer, stage.inner),
      block2: block(stage.inner + stage.outer, stage.inner),
      attention: stageAttention(stage.inner, stage),
      resize: last ? conv(stage.inner, stage.outer, 3) : up(stage.inner, stage.outer),
    },
    ({ block1, block2, attention, resize }, { x, time, skips }: Descent & Conditioned) => {
      const first = block1({ x: concatenate([x, skips[1]], -1), time })
      const second = block2({ x: concatenate([first, skips[0]], -1), time })
      return resize(attention(second).add(second))
    },
  )

const middle = (stage: Stage, { block, fullAttention }: Layers) =>
  compose(
    {
      block1: block(stage.inner, stage.inner),
      attention: fullAttention(stage.inner, stage.attention),
      block2: block(stage.inner, stage.inner),
    },
    ({ block1, attention, block2 }, { x, time }: Conditioned) => {
      const first = block1({ x, time })
      return block2({ x: attention(first).add(first), time })
    },
  )

/** Width of Fourier features of the time, beside the time itself. */
const fourier = 16

/**
 * Sinusoids of the time, then a small network: [N] → [N, 4·width]. A linear map of the condition is added to its result, without a bias, so that a
 * condition of zeros is the same as none.
 */
const timeNetwork = (width: number, conditions: number, kind: UnetTime) =>
  compose(
    {
      embedding:
        kind === 'sinusoidal' ? sinusoidalTimeEmbedding(width) : fourierTimeEmbedding(fourier, kind === 'learned'),
      hidden: linear(kind === 'sinusoidal' ? width : fourier + 1, 4 * width),
      out: linear(4 * width, 4 * width),
      condition: conditions === 0 ? undefined : linear(conditions, 4 * width, { bias: false }),
    },
    ({ embedding, hidden, out, condition }, { t, x, condition: given }: UnetInput) => {
      const time = out(gelu(hidden(embedding(x.dtype === 'f64' ? t.cast('f64') : t).cast(x.dtype))))
      return condition === undefined || given === undefined ? time : time.add(condition(given.cast(x.dtype)))
    },
  )

/** The estimate and then x, as channels of one image: [N, H, W, 2·channels]. */
const withEstimate = ({ x, estimate = zerosLike(x) }: UnetInput): Tensor => concatenate([estimate.cast(x.dtype), x], -1)

const requireLength = (conditions: number): void => {
  if (!(Number.isInteger(conditions) && conditions >= 0))
    throw new RangeError(`unet: conditions is ${conditions}; it must be a whole number ≥ 0, the length of a condition`)
}

const optionNames = [
  'channels',
  'width',
  'multipliers',
  'outChannels',
  'initWidth',
  'fullAttention',
  'heads',
  'headWidth',
  'memory',
  'dropout',
  'conditions',
  'selfCondition',
  'time',
  'checkpoint',
] as const

/** The network, which gives its image, and on the way to it what its bottom and each stage on the way up give. */
const build = (options: UnetOptions, axes: Axes = plane) => {
  const { channels = 3, width, outChannels = channels, initWidth = width, dropout = 0, checkpoint = false } = options
  const { conditions = 0, selfCondition = false, time = 'sinusoidal' } = options
  requireKnown('unet', options, optionNames)
  requireLength(conditions)
  const stages = stagesOf(options)
  const layers = layersOf(axes, 4 * width, dropout, checkpoint)
  return compose(
    {
      stem: axes.conv(selfCondition ? 2 * channels : channels, initWidth, 7),
      time: timeNetwork(width, conditions, time),
      down: stages.map((stage, i) => downStage(stage, i === stages.length - 1, layers)),
      middle: middle(at(stages, stages.length - 1), layers),
      up: stages.toReversed().map((stage, i) => upStage(stage, i === stages.length - 1, layers)),
      last: layers.block(2 * initWidth, initWidth),
      head: linear(initWidth, outChannels),
    },
    (net, input: UnetInput) => {
      axes.require(input.x, channels, stages.length - 1)
      requireInput('unet', input, { conditions, selfCondition })
      const time = net.time(input)
      const start = net.stem(selfCondition ? withEstimate(input) : input.x)
      const descents = net.down.reduce<readonly Descent[]>(
        (done, stage) => [...done, stage({ x: done.at(-1)?.x ?? start, time })],
        [],
      )
      const bottom = net.middle({ x: at(descents, descents.length - 1).x, time })
      const rises = net.up.reduce<readonly Tensor[]>(
        (done, stage, i) => [
          ...done,
          stage({ x: done.at(-1) ?? bottom, time, skips: at(descents, descents.length - 1 - i).skips }),
        ],
        [],
      )
      const top = at(rises, rises.length - 1)
      return { bottom, rises, image: net.head(net.last({ x: concatenate([top, start], -1), time })) }
    },
  )
}

/** The parameters of {@link unet}. */
export type UnetParams = ParamsOf<ReturnType<typeof build>>

/**
 * A U-Net that reads noisy images and their times, and gives images of the same size: `x [N, H, W, channels], t [N] → [N, H, W, outChannels]`.
 * With `conditions: K` it also reads what each image is, a vector `condition [N, K]`; without one it is told nothing. With `selfCondition` it reads
 * an `estimate` of the images beside them.
 * Height and width are divisible by 2^(stages − 1). `unet({ width: 64 })` has 35,711,491 parameters.
 *
 * @throws RangeError for sizes that do not fit together; ShapeError for images of another size, naming the ones that fit
 * @example
 * ```ts
 * import { countElements, key, tensor, zeros } from 'fathom'
 * import { unet } from 'fathom/models'
 *
 * const model = unet({ width: 64 })
 * const params = model.init(key(0)) // nothing is computed yet
 * countElements(params) // => 35711491
 * model.apply(params, { x: zeros([2, 32, 32, 3]), t: tensor(Int32Array.of(0, 999)) }).shape // => [2, 32, 32, 3]
 * ```
 */
export const unet = (options: UnetOptions): Module<UnetParams, UnetInput> => unetOver(plane, options)

/** The U-Net over other axes. */
export const unetOver = (axes: Axes, options: UnetOptions): Module<UnetParams, UnetInput> => {
  const { init, apply } = build(options, axes)
  return { init, apply: (params, input, mode) => apply(params, input, mode).image }
}

/**
 * What the network sees in images, in the layers by which Lin & Yang 2024 (arXiv 2401.00110) measure: its bottom, and its first stage on the way up.
 * A network that was trained to denoise sees there what images show, for `featureLoss`.
 *
 * @throws RangeError for sizes that do not fit together; ShapeError for images of another size, naming the ones that fit
 */
export const unetFeatures = (options: UnetOptions): Module<UnetParams, UnetInput, readonly Tensor[]> => {
  const { init, apply } = build(options)
  return {
    init,
    apply: (params, input, mode) => {
      const { bottom, rises } = apply(params, input, mode)
      return [bottom, at(rises, 0)]
    },
  }
}
