/**
 * The patch discriminator of pix2pix (Isola et al. 2017, section 3.2.2), which VQGAN took over as NLayerDiscriminator (Esser et al. 2021,
 * taming-transformers): a few convolutions, each of whose results judges the square of the picture that it sees, here 70×70 pixels.
 */
import { requireKnown } from '../../prelude/options.ts'
import { range } from '../../prelude/array.ts'
import { ShapeError } from '../../prelude/errors.ts'
import { showShape } from '../../graph/shape.ts'
import { conv2d, type Conv2dOptions, type Conv2dParams } from '../../nn/conv2d.ts'
import { groupNorm, type GroupNormParams } from '../../nn/groupNorm.ts'
import { normal } from '../../nn/init.ts'
import { compose, type Module } from '../../nn/module.ts'
import { leakyRelu } from '../../tensor/activations.ts'
import { zeros } from '../../tensor/create.ts'
import { foldIn } from '../../tensor/random.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** The size of a discriminator, and its norm. */
export interface PatchDiscriminatorOptions {
  /** Channels of the pictures, default 3. */
  readonly channels?: number
  /** Channels of the first layer, default 64; they double in each further one, up to eight times as many. */
  readonly width?: number
  /** How many convolutions halve the picture, default 3. */
  readonly layers?: number
  /**
   * Group norm, or none; default group. There is no batch norm, as pix2pix has it: it makes the judgement of one picture depend on the others,
   * and real and made ones are told apart by being alone in a batch.
   */
  readonly norm?: 'group' | 'none'
  /** Groups of the norm; default the largest power of two up to 32 that divides `width`. */
  readonly groups?: number
}

/** A convolution of the middle, and its norm where there is one. */
export interface JudgingBlockParams {
  readonly conv: Conv2dParams
  readonly norm: GroupNormParams | undefined
}

/** The parameters of {@link patchDiscriminator}. */
export interface PatchDiscriminatorParams {
  readonly first: Conv2dParams
  readonly blocks: readonly JudgingBlockParams[]
  readonly last: Conv2dParams
}

/** A 4×4 convolution that begins at N(0, 0.02²), as pix2pix has it, with biases of 0. */
const conv = (inputs: number, outputs: number, options: Conv2dOptions): Module<Conv2dParams> => {
  const layer = conv2d(inputs, outputs, 4, { padding: 1, ...options })
  return {
    ...layer,
    init: (key) => {
      const weight = normal([4, 4, inputs, outputs], 0.02)(foldIn(key, 'weight'))
      return options.bias === false ? { weight } : { weight, bias: zeros([outputs]) }
    },
  }
}

/** leaky(norm(conv(x))); a bias would be taken out by the norm. */
const block = (
  inputs: number,
  outputs: number,
  stride: 1 | 2,
  groups: number | undefined,
): Module<JudgingBlockParams> =>
  compose(
    {
      conv: conv(inputs, outputs, { stride, bias: groups === undefined }),
      norm: groups === undefined ? undefined : groupNorm(groups, outputs),
    },
    ({ conv, norm }, x: Tensor) => leakyRelu(norm === undefined ? conv(x) : norm(conv(x)), slope),
  )

/** Of the leaky ReLU. */
const slope = 0.2

const requirePictures = (x: Tensor, channels: number, layers: number): void => {
  const least = 3 * 2 ** layers // three positions after the halvings: two convolutions of stride 1 take one each
  const [rank, h, w] = [x.rank, x.shape[1] ?? 0, x.shape[2] ?? 0]
  if (rank !== 4 || x.shape[3] !== channels)
    throw new ShapeError(`patchDiscriminator: takes pictures [N, H, W, ${channels}], got ${showShape(x.shape)}`)
  if (Math.min(h, w) < least)
    throw new ShapeError(
      `patchDiscriminator: pictures of ${h}×${w} are too small for ${layers} halvings: give at least ${least}×${least}, or fewer layers`,
    )
}

/** Refuses numbers and norms that cannot be meant. */
const requireSettings = (numbers: Readonly<Record<string, number>>, norm: string): void => {
  for (const [name, value] of Object.entries(numbers))
    if (!(Number.isInteger(value) && value >= 1))
      throw new RangeError(`patchDiscriminator: ${name} is ${value}; it must be a whole number above 0`)
  if (!['group', 'none'].includes(norm))
    throw new RangeError(`patchDiscriminator: norm is '${norm}'; it must be 'group' or 'none'`)
}

/**
 * Whether each patch of a picture looks real, as a logit: `[N, H, W, channels] → [N, H/2^layers − 2, W/2^layers − 2, 1]`. By default it has
 * 2.8 million parameters, and a logit sees 70×70 pixels.
 *
 *     x = leaky(conv₄,₂(x))                       64 channels, no norm
 *     x = leaky(norm(conv₄,₂(x)))                 128, 256
 *     x = leaky(norm(conv₄,₁(x)))                 512
 *     y = conv₄,₁(x)                              1
 *
 * @throws RangeError for sizes that are no whole numbers, and groups that do not divide the channels
 * @example
 * ```ts
 * import { countElements, key, zeros } from 'fathom'
 * import { patchDiscriminator } from 'fathom/models'
 *
 * const judge = patchDiscriminator()
 * const params = judge.init(key(0))
 * countElements(params) // => 2765633
 * judge.apply(params, zeros([2, 64, 32, 3])).shape // => [2, 6, 2, 1]
 * judge.apply(params, zeros([2, 16, 16, 3])) // throws ShapeError: patchDiscriminator: pictures of 16×16 are too small for 3 halvings: give at least 24×24, or fewer layers
 * ```
 */
export const patchDiscriminator = (options: PatchDiscriminatorOptions = {}): Module<PatchDiscriminatorParams> => {
  requireKnown('patchDiscriminator', options, ['channels', 'width', 'layers', 'norm', 'groups'])
  const { channels = 3, width = 64, layers = 3, norm = 'group' } = options
  const { groups = [32, 16, 8, 4, 2].find((n) => width % n === 0) ?? 1 } = options
  requireSettings({ channels, width, layers, groups }, norm)
  const widthAfter = (halvings: number): number => width * Math.min(2 ** halvings, 8)
  const normed = norm === 'group' ? groups : undefined
  const net = compose(
    {
      first: conv(channels, width, { stride: 2 }),
      blocks: range(layers).map((i) => block(widthAfter(i), widthAfter(i + 1), i + 1 < layers ? 2 : 1, normed)),
      last: conv(widthAfter(layers), 1, {}),
    },
    ({ first, blocks, last }, x: Tensor) => last(blocks.reduce((y, layer) => layer(y), leakyRelu(first(x), slope))),
  )
  return {
    init: net.init,
    apply: (params, x, mode) => {
      requirePictures(x, channels, layers)
      return net.apply(params, x, mode)
    },
  }
}
