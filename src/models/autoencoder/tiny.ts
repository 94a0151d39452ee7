/**
 * The tiny autoencoder of the Stable Diffusion previews (TAESD by Ollin Boer Bohan), diffusers' `AutoencoderTiny`: residual blocks of three convolutions
 * of one width, without norms, whose latents are deterministic. With pools in the middle it is taef2, for the latents of FLUX.2.
 */
import { requireKnown } from '../../prelude/options.ts'
import { range } from '../../prelude/array.ts'
import { faultIn, list, number, optional, record, type Fault, type Fields } from '../../prelude/decode.ts'
import { E, pipe } from '../../prelude/fp.ts'
import { relu } from '../../nn/activations.ts'
import { conv2d, type Conv2dParams } from '../../nn/conv2d.ts'
import { groupNorm, type GroupNormParams } from '../../nn/groupNorm.ts'
import { linear, type LinearParams } from '../../nn/linear.ts'
import { compose, type Module } from '../../nn/module.ts'
import { upsampleNearest } from '../../tensor/resampling.ts'
import type { NameMap, Rename } from '../../tensor/nameMap.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Autoencoder, AutoencoderParams } from './autoencoder.ts'
import { activations, type ActivationName } from '../activations.ts'
import type { AutoencoderFamily } from './family.ts'
import { activationName, channelCount, flag, scalingFields } from './fields.ts'
import { actFn, activationOf, only, overDefaults } from '../diffusersSettings.ts'
import { diffusersScalingFields, scalingOf, type DiffusersScaling } from './foreignConfig.ts'
import { softlyBounded } from './kl.ts'
import { unscaled, type LatentScaling } from './scaling.ts'
import { requireLatents, requirePictures } from './sizes.ts'

/** The settings of {@link autoencoderTiny}. */
export interface TinyConfig {
  readonly kind?: 'tiny'
  /** Channels of the pictures. */
  readonly channels: number
  readonly latentChannels: number
  /** Channels of every layer between, default 64. */
  readonly width?: number
  /** Blocks of each stage of the encoder, from the largest picture; each stage but the first halves it. Default 1, 3, 3, 3. */
  readonly encoderBlocks?: readonly number[]
  /** Blocks of each stage of the decoder, from the smallest picture. Default 3, 3, 3, 1. */
  readonly decoderBlocks?: readonly number[]
  /** Default relu. */
  readonly activation?: ActivationName
  /** Whether the blocks at the smallest size have a branch with a group norm, which sees the whole picture. */
  readonly midBlockPool?: boolean
  /** The scale on which latents are diffused, default factor 1. */
  readonly scaling?: LatentScaling
}

/** A branch of 1×1 convolutions around a group norm, by which a block sees the whole picture. */
export interface TinyPoolParams {
  readonly expand: LinearParams
  readonly norm: GroupNormParams
  readonly reduce: LinearParams
}

/** The parameters of a block. */
export interface TinyBlockParams {
  readonly conv1: Conv2dParams
  readonly conv2: Conv2dParams
  readonly conv3: Conv2dParams
  readonly pool: TinyPoolParams | undefined
}

/** The parameters of a stage; `resize` is the convolution that halves before its blocks, or follows a doubling behind them. */
export interface TinyStageParams {
  readonly blocks: readonly TinyBlockParams[]
  readonly resize: Conv2dParams | undefined
}

/** The parameters of an encoder, and of a decoder. */
export interface TinyParams {
  readonly stem: Conv2dParams
  readonly stages: readonly TinyStageParams[]
  readonly head: Conv2dParams
}

const poolOf = (width: number): Module<TinyPoolParams> =>
  compose(
    {
      expand: linear(width, 4 * width, { bias: false }),
      norm: groupNorm(4, 4 * width),
      reduce: linear(4 * width, width, { bias: false }),
    },
    ({ expand, norm, reduce }, x: Tensor) => reduce(relu(norm(expand(x)))),
  )

const blockOf = (width: number, act: (x: Tensor) => Tensor, pool: boolean): Module<TinyBlockParams> => {
  const conv = conv2d(width, width, 3, { padding: 1 })
  return compose(
    { conv1: conv, conv2: conv, conv3: conv, pool: pool ? poolOf(width) : undefined },
    ({ conv1, conv2, conv3, pool }, x: Tensor) => {
      const y = pool === undefined ? x : x.add(pool(x))
      return relu(conv3(act(conv2(act(conv1(y))))).add(y)) // relu whatever the activation is, as diffusers has it
    },
  )
}

const settingsOf = (config: TinyConfig) => {
  const { width = 64, encoderBlocks = [1, 3, 3, 3], decoderBlocks = [3, 3, 3, 1], activation = 'relu' } = config
  return { width, encoderBlocks, decoderBlocks, act: activations[activation], pool: config.midBlockPool ?? false }
}

const factorOfTiny = (config: TinyConfig): number => 2 ** (settingsOf(config).encoderBlocks.length - 1)

type Settings = ReturnType<typeof settingsOf>

const blocksOf = (
  { width, act, pool }: Settings,
  count: number,
  isMiddle: boolean,
): readonly Module<TinyBlockParams>[] => range(count).map(() => blockOf(width, act, pool && isMiddle))

/** [N, H, W, channels] in [−1, 1] → [N, H / f, W / f, latentChannels]; inside, pictures are in [0, 1]. */
const encoderOf = (config: TinyConfig): Module<TinyParams> => {
  const settings = settingsOf(config)
  const { width, encoderBlocks: counts } = settings
  const [last, factor] = [counts.length - 1, factorOfTiny(config)]
  const halve = conv2d(width, width, 3, { stride: 2, padding: 1, bias: false })
  return compose(
    {
      stem: conv2d(config.channels, width, 3, { padding: 1 }),
      stages: counts.map((count, i) =>
        compose(
          { resize: i === 0 ? undefined : halve, blocks: blocksOf(settings, count, i === last) },
          ({ resize, blocks }, x: Tensor) =>
            blocks.reduce((y, block) => block(y), resize === undefined ? x : resize(x)),
        ),
      ),
      head: conv2d(width, config.latentChannels, 3, { padding: 1 }),
    },
    ({ stem, stages, head }, x: Tensor) => {
      requirePictures('autoencoderTiny', x, config.channels, factor)
      return head(stages.reduce((y, stage) => stage(y), stem(x.add(1).div(2))))
    },
  )
}

/** [N, H, W, latentChannels] → [N, f·H, f·W, channels] in about [−1, 1]; latents are bounded softly to (−3, 3). */
const decoderOf = (config: TinyConfig): Module<TinyParams> => {
  const settings = settingsOf(config)
  const { width, decoderBlocks: counts, act } = settings
  const double = conv2d(width, width, 3, { padding: 1, bias: false })
  return compose(
    {
      stem: conv2d(config.latentChannels, width, 3, { padding: 1 }),
      stages: counts.map((count, i) =>
        compose(
          { blocks: blocksOf(settings, count, i === 0), resize: i === counts.length - 1 ? undefined : double },
          ({ blocks, resize }, x: Tensor) => {
            const y = blocks.reduce((z, block) => block(z), x)
            return resize === undefined ? y : resize(upsampleNearest(y, 2))
          },
        ),
      ),
      head: conv2d(width, config.channels, 3, { padding: 1 }),
    },
    ({ stem, stages, head }, z: Tensor) => {
      requireLatents('autoencoderTiny', z, config.latentChannels)
      const y = head(stages.reduce((y, stage) => stage(y), act(stem(softlyBounded(z)))))
      return y.mul(2).sub(1)
    },
  )
}

/** What is wrong with the stages. */
const faultOfTiny = (config: TinyConfig): string | undefined => {
  const { encoderBlocks, decoderBlocks } = settingsOf(config)
  return encoderBlocks.length === decoderBlocks.length
    ? undefined
    : `of as many stages as encoderBlocks, which has ${encoderBlocks.length}: decoderBlocks has ${decoderBlocks.length}`
}

/**
 * A tiny autoencoder: pictures [N, H, W, channels] in [−1, 1] to latents [N, H / f, W / f, latentChannels] without a variance, f = 2^(stages − 1), and
 * back. With its defaults for 3 and 4 channels it is TAESD, 1,222,532 parameters in the encoder and one less in the decoder.
 *
 * @throws RangeError for encoder and decoder of different depth; ShapeError for pictures and latents of other sizes
 * @example
 * ```ts
 * import { countElements, key, zeros } from 'fathom'
 * import { autoencoderTiny } from 'fathom/models'
 *
 * const { encoder, decoder, factor } = autoencoderTiny({ channels: 3, latentChannels: 4 })
 * factor // => 8
 * countElements(encoder.init(key(0))) // => 1222532
 * const small = autoencoderTiny({ channels: 3, latentChannels: 2, width: 4, encoderBlocks: [1, 1], decoderBlocks: [1, 1] })
 * small.decoder.apply(small.decoder.init(key(0)), zeros([1, 4, 4, 2])).shape // => [1, 8, 8, 3]
 * ```
 */
export const autoencoderTiny = (config: TinyConfig): Autoencoder<TinyParams, TinyParams> => {
  requireKnown('autoencoderTiny', config, ['kind', ...Object.keys(fields)])
  const fault = faultOfTiny(config)
  if (fault !== undefined) throw new RangeError(`autoencoderTiny: decoderBlocks must be ${fault}`)
  const latents = encoderOf(config)
  return {
    encoder: { init: latents.init, apply: (params, x, mode) => ({ mean: latents.apply(params, x, mode) }) },
    decoder: decoderOf(config),
    factor: factorOfTiny(config),
    latentChannels: config.latentChannels,
  }
}

/** The layers of one side in order, by our paths; undefined stands for one without parameters. */
const layersOf = (side: 'encoder' | 'decoder', { stages }: TinyParams): readonly (string | undefined)[] => {
  const inStage = ({ blocks, resize }: TinyStageParams, i: number): readonly (string | undefined)[] => {
    const own = blocks.map((_, j) => `${side}.stages.${i}.blocks.${j}.`)
    const change = resize === undefined ? [] : [`${side}.stages.${i}.resize.`]
    return side === 'encoder' ? [...change, ...own] : [...own, ...change.flatMap((path) => [undefined, path])]
  }
  const start = side === 'encoder' ? [`${side}.stem.`] : [`${side}.stem.`, undefined] // an activation
  return [...start, ...stages.flatMap(inStage), `${side}.head.`]
}

const insideBlocks: readonly Rename[] = [
  { pattern: /\.conv1\./, to: '.conv.0.' },
  { pattern: /\.conv2\./, to: '.conv.2.' },
  { pattern: /\.conv3\./, to: '.conv.4.' },
  { pattern: /\.pool\.expand\./, to: '.pool.0.' },
  { pattern: /\.pool\.norm\./, to: '.pool.1.' },
  { pattern: /\.pool\.reduce\./, to: '.pool.3.' },
]

/** The names of a sequence of layers, which are numbers. @param before what stands between the side and the number @param first the number of the decoder's first layer */
const numbered =
  (before: string, first: number) =>
  ({ encoder, decoder }: AutoencoderParams<TinyParams, TinyParams>): Required<NameMap> => {
    const renames = (side: 'encoder' | 'decoder', params: TinyParams, start: number): readonly Rename[] =>
      layersOf(side, params).flatMap((prefix, i) =>
        prefix === undefined ? [] : [{ prefix, to: `${side}.${before}${start + i}.` }],
      )
    return {
      rename: [...renames('encoder', encoder, 0), ...renames('decoder', decoder, first), ...insideBlocks],
      layout: [{ layout: 'HWIO->OIHW' }, { layout: 'IO->OI11' }],
    }
  }

const counts = list(12, 1024)

const fields: Fields<Omit<TinyConfig, 'kind'>> = {
  channels: channelCount,
  latentChannels: channelCount,
  width: optional(channelCount),
  encoderBlocks: optional(counts),
  decoderBlocks: optional(counts),
  activation: optional(activationName),
  midBlockPool: optional(flag),
  scaling: optional(scalingFields),
}

const fitting = (config: TinyConfig): E.Either<Fault, TinyConfig> => {
  const fault = faultOfTiny(config)
  return fault === undefined
    ? E.right(config)
    : E.left(faultIn('decoderBlocks', config.decoderBlocks, { expected: fault }))
}

/** diffusers' settings, by their names. */
interface DiffusersTiny extends DiffusersScaling {
  readonly in_channels: number
  readonly out_channels: number
  readonly encoder_block_out_channels: readonly number[]
  readonly decoder_block_out_channels: readonly number[]
  readonly act_fn: Parameters<typeof activationOf>[0]
  readonly upsample_fn: 'nearest'
  readonly latent_channels: number
  readonly upsampling_scaling_factor: 2
  readonly num_encoder_blocks: readonly number[]
  readonly num_decoder_blocks: readonly number[]
  readonly latent_magnitude: number
  readonly latent_shift: number
}

const anyNumber = number('a number', () => true)

const readDiffusers = overDefaults<DiffusersTiny>(
  {
    ...diffusersScalingFields,
    in_channels: channelCount,
    out_channels: channelCount,
    encoder_block_out_channels: list(12, 8192),
    decoder_block_out_channels: list(12, 8192),
    act_fn: actFn,
    upsample_fn: only('nearest', 'nearest, the only one that AutoencoderTiny was trained with'),
    latent_channels: channelCount,
    upsampling_scaling_factor: only(2, '2: a stage doubles the picture'),
    num_encoder_blocks: counts,
    num_decoder_blocks: counts,
    latent_magnitude: anyNumber, // of latents that are stored as bytes, which are not made here
    latent_shift: anyNumber,
  },
  {
    in_channels: 3,
    out_channels: 3,
    encoder_block_out_channels: [64, 64, 64, 64],
    decoder_block_out_channels: [64, 64, 64, 64],
    act_fn: 'relu',
    upsample_fn: 'nearest',
    latent_channels: 4,
    upsampling_scaling_factor: 2,
    num_encoder_blocks: [1, 3, 3, 3],
    num_decoder_blocks: [3, 3, 3, 1],
    latent_magnitude: 3,
    latent_shift: 0.5,
    scaling_factor: 1,
  },
)

const tinyOf = (theirs: DiffusersTiny): E.Either<Fault, TinyConfig> => {
  const widths = [...theirs.encoder_block_out_channels, ...theirs.decoder_block_out_channels]
  const [width = 64] = widths
  if (widths.some((other) => other !== width))
    return E.left(
      faultIn('decoder_block_out_channels', theirs.decoder_block_out_channels, {
        expected: `one width, as that of the encoder's first stage: ${width}`,
      }),
    )
  if (theirs.in_channels !== theirs.out_channels)
    return E.left(faultIn('out_channels', theirs.out_channels, { expected: `in_channels, ${theirs.in_channels}` }))
  return fitting({
    channels: theirs.in_channels,
    latentChannels: theirs.latent_channels,
    width,
    encoderBlocks: theirs.num_encoder_blocks,
    decoderBlocks: theirs.num_decoder_blocks,
    activation: activationOf(theirs.act_fn),
    scaling: scalingOf(theirs),
  })
}

/**
 * The family of {@link autoencoderTiny}. Its names are those of diffusers, `encoder.layers.0.weight`, and those of TAESD's own two files, with the side before
 * the number: `encoder.0.weight`.
 *
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { placesOf } from 'fathom/io'
 * import { tinyFamily } from 'fathom/models'
 *
 * const { encoder, decoder } = tinyFamily.build(tinyFamily.defaults)
 * const params = { encoder: encoder.init(key(0)), decoder: decoder.init(key(0)) }
 * const { diffusers } = tinyFamily.names
 * placesOf(params, diffusers?.(params)).at(-1)?.name // => 'encoder.layers.0.weight'
 * ```
 */
export const tinyFamily: AutoencoderFamily<TinyConfig, TinyParams, TinyParams> = {
  name: 'tiny',
  title: 'tiny autoencoder',
  defaults: { channels: 3, latentChannels: 4, encoderBlocks: [1, 2, 2], decoderBlocks: [2, 2, 1] },
  decode: (input) => pipe(record(fields)(input), E.chain(fitting)),
  build: autoencoderTiny,
  factor: factorOfTiny,
  latentChannels: ({ latentChannels }) => latentChannels,
  scaling: ({ scaling = unscaled }) => scaling,
  names: { diffusers: numbered('layers.', 0), taesd: numbered('', 1) },
  diffusersClass: 'AutoencoderTiny',
  decodeDiffusersConfig: (json) =>
    pipe(
      readDiffusers(json),
      E.chain(({ settings, ignored }) =>
        pipe(
          tinyOf(settings),
          E.map((config) => ({ config, ignored })),
        ),
      ),
    ),
}
