/**
 * EDM2's U-Net (Karras et al. 2024, "Analyzing and Improving the Training Dynamics of Diffusion Models", config G): that of ADM without biases and group
 * norms, in which every layer keeps the magnitude of what goes through it.
 */
import { requireKnown } from '../../prelude/options.ts'
import { concatenate } from '../../tensor/combine.ts'
import { ones } from '../../tensor/create.ts'
import { zeros } from '../../nn/init.ts'
import { compose, parameter, type Module } from '../../nn/module.ts'
import { at, range } from '../../prelude/array.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { DenoiserInput } from '../family.ts'
import type { Conditioned } from '../lucidrains/resBlock.ts'
import { requireInput, requireSize } from '../requireInput.ts'
import { requireFaultless } from '../settingFault.ts'
import { tellableTimes } from '../tellableTimes.ts'
import { edm2Block, type Edm2BlockOptions, type Edm2BlockParams } from './blocks.ts'
import { mpCat } from './magnitudes.ts'
import { edm2Fault, isAttentive, widthsOf, type Edm2Settings } from './settings.ts'
import { edm2Time, type Edm2TimeParams } from './time.ts'
import { mpConv2d, type MpParams } from './weights.ts'

/** The settings of {@link edm2}. */
export interface Edm2Options extends Edm2Settings {
  /** Channels of the images, default 3. */
  readonly channels?: number
  /** Channels of the result, default `channels`. */
  readonly outChannels?: number
}

/** The parameters of a stage; `resize` is there in all but the one with the largest images on the way down, the smallest on the way up. */
export interface Edm2StageParams {
  readonly resize: Edm2BlockParams | undefined
  readonly blocks: readonly Edm2BlockParams[]
}

/** The parameters of {@link edm2}. */
export interface Edm2Params {
  readonly stem: MpParams
  readonly time: Edm2TimeParams
  /** From the largest image to the smallest. */
  readonly down: readonly Edm2StageParams[]
  readonly middle: readonly Edm2BlockParams[]
  /** From the smallest image to the largest. */
  readonly up: readonly Edm2StageParams[]
  readonly head: MpParams
  /** Of the result, []; it begins as 0. */
  readonly gain: Tensor
}

/** Images on the way down: that of each block, the last being where the way goes on. */
interface Descent extends Conditioned {
  readonly skips: readonly Tensor[]
}

/** The blocks of a stage. @param inputs channels that each is given */
const stageBlocks = (
  settings: Edm2Settings,
  inputs: readonly number[],
  stage: number,
  { way, timeWidth }: Pick<Edm2BlockOptions, 'way' | 'timeWidth'>,
): readonly Module<Edm2BlockParams, Conditioned>[] => {
  const outputs = at(widthsOf(settings), stage)
  const attention = isAttentive(settings, stage)
  return inputs.map((n) => edm2Block({ inputs: n, outputs, way, timeWidth, attention }, settings))
}

/** Half the size, but in the first stage, then the blocks; every image is kept for the way up. */
const downStage = (settings: Edm2Settings, stage: number, timeWidth: number) => {
  const widths = widthsOf(settings)
  const width = at(widths, stage)
  const before = widths[stage - 1]
  const size = { inputs: before ?? width, outputs: before ?? width, way: 'down', timeWidth } as const
  const inputs = range(settings.blocks).map((i) => (i === 0 ? size.inputs : width))
  return compose(
    {
      resize: before === undefined ? undefined : edm2Block({ ...size, resampling: 'halve' }, settings),
      blocks: stageBlocks(settings, inputs, stage, size),
    },
    ({ resize, blocks }, { x, time, skips }: Descent): Descent => {
      const half = resize?.({ x, time })
      const start = half ?? x
      const images = blocks.reduce<readonly Tensor[]>(
        (done, block) => [...done, block({ x: at(done, done.length - 1), time })],
        [start],
      )
      const seen = half === undefined ? images.slice(1) : images // that of the stem is kept already
      return { x: at(images, images.length - 1), time, skips: [...skips, ...seen] }
    },
  )
}

/** The channels of every image of the way down, as they come. */
const skipWidths = (settings: Edm2Settings): readonly number[] => {
  const widths = widthsOf(settings)
  return widths.flatMap((width, i) => [widths[i - 1] ?? width, ...range(settings.blocks).map(() => width)])
}

/** Twice the size, but in the first stage, then the blocks: each also sees an image of the way down, the last first. */
const upStage = (settings: Edm2Settings, stage: number, timeWidth: number) => {
  const { blocks: count, skipBalance = 0.5 } = settings
  const widths = widthsOf(settings)
  const width = at(widths, stage)
  const before = widths[stage + 1]
  const seen = skipWidths(settings).slice(stage * (count + 1), (stage + 1) * (count + 1))
  const inputs = seen.toReversed().map((skip, i) => (i === 0 ? (before ?? width) : width) + skip)
  const size = { inputs: before ?? width, outputs: before ?? width, way: 'up', timeWidth } as const
  return compose(
    {
      resize: before === undefined ? undefined : edm2Block({ ...size, resampling: 'double' }, settings),
      blocks: stageBlocks(settings, inputs, stage, size),
    },
    ({ resize, blocks }, { x, time, skips }: Descent): Tensor =>
      blocks.reduce(
        (y, block, i) => block({ x: mpCat(y, at(skips, skips.length - 1 - i), skipBalance), time }),
        resize === undefined ? x : resize({ x, time }),
      ),
  )
}

/** What the middle and the first stage on the way up give, and the result. */
interface Seen {
  readonly bottom: Tensor
  readonly rises: readonly Tensor[]
  readonly image: Tensor
}

const optionNames = [
  'channels',
  'outChannels',
  'width',
  'multipliers',
  'blocks',
  'attentionAt',
  'headWidth',
  'times',
  'conditions',
  'dropout',
  'residualBalance',
  'attentionBalance',
  'skipBalance',
  'conditionBalance',
] as const

/** The network, which gives its image, and on the way to it what its middle and each stage on the way up give. */
const build = (options: Edm2Options): Module<Edm2Params, DenoiserInput, Seen> => {
  requireKnown('edm2', options, optionNames)
  requireFaultless('edm2', edm2Fault, options)
  const { channels = 3, outChannels = channels, multipliers, blocks: count, conditions = 0 } = options
  const widths = widthsOf(options)
  const stages = range(widths.length)
  const [first, last, timeWidth] = [at(widths, 0), at(widths, widths.length - 1), Math.max(...widths)]
  const inner = { inputs: last, outputs: last, way: 'up', timeWidth } as const
  return compose(
    {
      stem: mpConv2d(channels + 1, first),
      time: edm2Time(options),
      down: stages.map((stage) => downStage(options, stage, timeWidth)),
      middle: [edm2Block({ ...inner, attention: true }, options), edm2Block(inner, options)],
      up: stages.toReversed().map((stage) => upStage(options, stage, timeWidth)),
      head: mpConv2d(first, outChannels),
      gain: parameter(zeros([])),
    },
    (net, input: DenoiserInput): Seen => {
      requireSize('edm2', input.x, channels, multipliers.length - 1)
      requireInput('edm2', input, { conditions })
      const { x, condition } = input
      const { dtype } = x
      const time = net.time({ t: tellableTimes(input), condition: condition?.cast(dtype), dtype })
      const one = ones([...x.shape.slice(0, 3), 1], dtype) // in the place of a bias
      const stem = net.stem(concatenate([x, one], -1))
      const { x: end, skips } = net.down.reduce<Descent>((done, stage) => stage(done), { x: stem, time, skips: [stem] })
      const bottom = net.middle.reduce((y, block) => block({ x: y, time }), end)
      const rises = net.up.reduce<readonly Tensor[]>(
        (done, stage, i) => {
          const seen = skips.slice(0, skips.length - i * (count + 1)) // from here back
          return [...done, stage({ x: at(done, done.length - 1), time, skips: seen })]
        },
        [bottom],
      )
      return { bottom, rises: rises.slice(1), image: net.head(at(rises, rises.length - 1)).mul(net.gain()) }
    },
  )
}

/**
 * A U-Net that reads noisy images and their times, and gives images of the same size: `x [N, H, W, channels], t [N] → [N, H, W, outChannels]`.
 * With `conditions: K` it also reads what each image is, a vector `condition [N, K]`. Height and width are divisible by 2^(multipliers − 1). Times are
 * numbers of steps, of T = `times`. Before it is trained the result is 0.
 *
 * @throws RangeError for settings that do not fit together; ShapeError for images of another size, naming the ones that fit
 * @example
 * ```ts
 * import { countElements, key, tensor, zeros } from 'fathom'
 * import { edm2 } from 'fathom/models'
 *
 * // EDM2-S of Karras et al. 2024, for latents of 64×64 of a thousand classes
 * const model = edm2({ width: 192, multipliers: [1, 2, 3, 4], blocks: 3, conditions: 1000, channels: 4 })
 * const params = model.init(key(0)) // nothing is computed yet
 * Math.round(countElements(params) / 1e6) // => 280
 * model.apply(params, { x: zeros([2, 64, 64, 4]), t: tensor(Int32Array.of(0, 999)) }).shape // => [2, 64, 64, 4]
 * edm2({ width: 48, multipliers: [1, 2], blocks: 1 }) // throws RangeError: edm2: headWidth must be a divisor of the widths with attention, as of 48, for instance 48; its default is 64
 * ```
 */
export const edm2 = (options: Edm2Options): Module<Edm2Params, DenoiserInput> => {
  const { init, apply } = build(options)
  return { init, apply: (params, input, mode) => apply(params, input, mode).image }
}

/** What the network sees in images: its middle, and its first stage on the way up, as `unetFeatures`. */
export const edm2Features = (options: Edm2Options): Module<Edm2Params, DenoiserInput, readonly Tensor[]> => {
  const { init, apply } = build(options)
  return {
    init,
    apply: (params, input, mode) => {
      const { bottom, rises } = apply(params, input, mode)
      return [bottom, at(rises, 0)]
    },
  }
}
