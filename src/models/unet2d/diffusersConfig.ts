/** The configuration of diffusers' `UNet2DModel` as settings of ours. */
import { at } from '../../prelude/array.ts'
import {
  expects,
  faultIn,
  list,
  number,
  oneOf,
  optional,
  whole,
  type Decoder,
  type Fault,
  type Fields,
} from '../../prelude/decode.ts'
import { E, pipe } from '../../prelude/fp.ts'
import { isRecord, keysOf } from '../../prelude/record.ts'
import { channelCount, flag } from '../autoencoder/fields.ts'
import { actFn, activationOf, only, overDefaults, type ActFn } from '../diffusersSettings.ts'
import { conditionSettingsOf, readConditionConfig } from './conditionConfig.ts'
import { faultOf } from './faults.ts'
import { stageKinds, type StageKind, type Unet2dSettings } from './stages.ts'

/** How diffusers calls stages, where those with attention have a setting of their own for how the size changes. */
export const stageNames: {
  readonly [K in Exclude<StageKind, 'cross-attention'>]: readonly [down: string, up: string]
} = {
  plain: ['DownBlock2D', 'UpBlock2D'],
  attention: ['AttnDownBlock2D', 'AttnUpBlock2D'],
  residual: ['ResnetDownsampleBlock2D', 'ResnetUpsampleBlock2D'],
  'residual-attention': ['AttnDownBlock2D', 'AttnUpBlock2D'],
  skip: ['SkipDownBlock2D', 'SkipUpBlock2D'],
  'skip-attention': ['AttnSkipDownBlock2D', 'AttnSkipUpBlock2D'],
}

const namesOf = (way: 0 | 1): readonly string[] => [...new Set(Object.values(stageNames).map((names) => names[way]))]

/** A list of kinds of blocks, which before 2023 had a prefix. */
const blockTypes = (way: 0 | 1): Decoder<readonly string[]> => {
  const known = namesOf(way)
  return (x) =>
    Array.isArray(x) && x.length > 0 && x.every((name): name is string => known.includes(withoutPrefix(name)))
      ? E.right(x)
      : expects(`a list of ${known.join(', ')}: the other blocks of diffusers are not built here`)
}

const withoutPrefix = (name: unknown): string => (typeof name === 'string' ? name.replace(/^UNetRes/, '') : '')

/** diffusers' settings, by their names. */
interface DiffusersUnet2d {
  readonly in_channels: number
  readonly out_channels: number
  readonly center_input_sample: boolean
  readonly time_embedding_type: 'positional' | 'fourier' | 'learned'
  readonly time_embedding_dim?: number
  readonly freq_shift: number
  readonly flip_sin_to_cos: boolean
  readonly down_block_types: readonly string[]
  readonly mid_block_type: 'UNetMidBlock2D'
  readonly up_block_types: readonly string[]
  readonly block_out_channels: readonly number[]
  readonly layers_per_block: number
  readonly mid_block_scale_factor: number
  readonly downsample_padding: number
  readonly downsample_type: 'conv' | 'resnet'
  readonly upsample_type: 'conv' | 'resnet'
  readonly dropout: number
  readonly act_fn: ActFn
  readonly attention_legacy_order: false
  readonly attention_head_dim?: number
  readonly norm_num_groups?: number
  readonly attn_norm_num_groups?: number
  readonly norm_eps: number
  readonly resnet_time_scale_shift: 'default' | 'scale_shift'
  readonly add_attention: boolean
  readonly class_embed_type?: 'timestep' | 'identity'
  readonly num_class_embeds?: number
  readonly num_train_timesteps?: number
}

const aboveZero = number('a finite number above 0', (x) => x > 0 && Number.isFinite(x))
const resizing = oneOf('conv', 'resnet')

const fields: Fields<DiffusersUnet2d> = {
  in_channels: channelCount,
  out_channels: channelCount,
  center_input_sample: flag,
  time_embedding_type: oneOf('positional', 'fourier', 'learned'),
  time_embedding_dim: optional(whole(1, 65_536)),
  freq_shift: number('a finite number', Number.isFinite),
  flip_sin_to_cos: flag,
  down_block_types: blockTypes(0),
  mid_block_type: only('UNetMidBlock2D', 'UNetMidBlock2D: no other is built here'),
  up_block_types: blockTypes(1),
  block_out_channels: list(12, 8192),
  layers_per_block: whole(1, 64),
  mid_block_scale_factor: aboveZero,
  downsample_padding: whole(0, 1),
  downsample_type: resizing,
  upsample_type: resizing,
  dropout: number('a number from 0 to below 1', (x) => x >= 0 && x < 1),
  act_fn: actFn,
  attention_legacy_order: only(false, 'false: heads are split behind the projections here'),
  attention_head_dim: optional(whole(1, 8192)),
  norm_num_groups: optional(whole(1, 8192)),
  attn_norm_num_groups: optional(whole(1, 8192)),
  norm_eps: aboveZero,
  resnet_time_scale_shift: oneOf('default', 'scale_shift'),
  add_attention: flag,
  class_embed_type: optional(oneOf('timestep', 'identity')),
  num_class_embeds: optional(whole(1, 1_000_000)),
  num_train_timesteps: optional(whole(1, 1_000_000)),
}

/** Their defaults; of what is absent here null is one. */
const defaults = {
  in_channels: 3,
  out_channels: 3,
  center_input_sample: false,
  time_embedding_type: 'positional',
  freq_shift: 0,
  flip_sin_to_cos: true,
  down_block_types: ['DownBlock2D', 'AttnDownBlock2D', 'AttnDownBlock2D', 'AttnDownBlock2D'],
  mid_block_type: 'UNetMidBlock2D',
  up_block_types: ['AttnUpBlock2D', 'AttnUpBlock2D', 'AttnUpBlock2D', 'UpBlock2D'],
  block_out_channels: [224, 448, 672, 896],
  layers_per_block: 2,
  mid_block_scale_factor: 1,
  downsample_padding: 1,
  downsample_type: 'conv',
  upsample_type: 'conv',
  dropout: 0,
  act_fn: 'silu',
  attention_legacy_order: false,
  norm_eps: 1e-5,
  resnet_time_scale_shift: 'default',
  add_attention: true,
} as const satisfies DiffusersUnet2d

/** Settings whose absence is another value than null: what a file lacks, and what it says to be null. */
const orNull = { attention_head_dim: 8, norm_num_groups: 32 } as const

const kindOf = (name: string, way: 0 | 1, type: 'conv' | 'resnet'): StageKind => {
  const fitting = keysOf(stageNames).filter((kind) => stageNames[kind][way] === withoutPrefix(name))
  const wanted = type === 'resnet' ? 'residual' : 'convolution'
  // conv and resnet reach stages with attention only: the others have names of their own for it
  return fitting.find((kind) => stageKinds[kind].resize === wanted) ?? fitting[0] ?? 'plain'
}

const timesOf = (theirs: DiffusersUnet2d): Partial<Unet2dSettings> => {
  const { time_embedding_type: time, time_embedding_dim: timeWidth, num_train_timesteps: times } = theirs
  return {
    time,
    ...(time === 'learned' && times !== undefined && { times }),
    ...(timeWidth !== undefined && { timeWidth }),
    frequencyShift: theirs.freq_shift,
    cosinesFirst: theirs.flip_sin_to_cos,
  }
}

const conditionsOf = (theirs: DiffusersUnet2d): Partial<Unet2dSettings> => {
  const { block_out_channels: widths, class_embed_type: type, num_class_embeds: classes = 0 } = theirs
  if (type === 'timestep') return { conditions: 1, conditioning: 'time' }
  if (type === undefined) return { conditions: classes }
  return { conditions: theirs.time_embedding_dim ?? 4 * at(widths, 0), conditioning: 'vector' }
}

const attentionOf = (theirs: DiffusersUnet2d): Partial<Unet2dSettings> => {
  const { add_attention: attention, attention_head_dim: headWidth, attn_norm_num_groups: middleGroups } = theirs
  return {
    attention,
    ...(headWidth !== undefined && { headWidth }),
    ...(middleGroups !== undefined && { middleGroups }),
  }
}

const settingsOf = (theirs: DiffusersUnet2d): Unet2dSettings => ({
  widths: theirs.block_out_channels,
  layers: theirs.layers_per_block,
  down: theirs.down_block_types.map((name) => kindOf(name, 0, theirs.downsample_type)),
  up: theirs.up_block_types.map((name) => kindOf(name, 1, theirs.upsample_type)),
  ...attentionOf(theirs),
  groups: theirs.norm_num_groups ?? 'quarter',
  epsilon: theirs.norm_eps,
  activation: activationOf(theirs.act_fn),
  downPadding: theirs.downsample_padding === 0 ? 0 : 1,
  scaleShift: theirs.resnet_time_scale_shift === 'scale_shift',
  middleScale: theirs.mid_block_scale_factor,
  ...timesOf(theirs),
  centre: theirs.center_input_sample,
  ...conditionsOf(theirs),
  dropout: theirs.dropout,
})

/** Their settings that make one of ours, for errors. */
const theirNames: { readonly [K in keyof Unet2dSettings]?: string } = {
  widths: 'block_out_channels',
  down: 'down_block_types',
  up: 'up_block_types',
  groups: 'norm_num_groups',
  middleGroups: 'attn_norm_num_groups',
  headWidth: 'attention_head_dim',
  times: 'num_train_timesteps',
  heads: 'attention_head_dim',
  tokenWidth: 'cross_attention_dim',
}

/** A network of diffusers: its settings, which are a model of a configuration too, its channels, and what means nothing here. */
export interface DiffusersUnet {
  readonly settings: Unet2dSettings
  readonly channels: number
  readonly outChannels: number
  /** Names of settings that mean nothing here, for a warning. */
  readonly ignored: readonly string[]
}

const read = overDefaults<DiffusersUnet2d>(fields, defaults)

const unetWith = (
  theirs: { readonly in_channels: number; readonly out_channels: number },
  settings: Unet2dSettings,
  ignored: readonly string[],
): DiffusersUnet => ({ settings, channels: theirs.in_channels, outChannels: theirs.out_channels, ignored })

/** Of `UNet2DModel`. */
const readPlain = (json: unknown): E.Either<Fault, DiffusersUnet> =>
  pipe(
    read(isRecord(json) ? { ...orNull, ...json } : json),
    E.map(({ settings, ignored }) => unetWith(settings, settingsOf(settings), ignored)),
  )

/** Of `UNet2DConditionModel`. */
const readConditioned = (json: unknown): E.Either<Fault, DiffusersUnet> =>
  pipe(
    readConditionConfig(json),
    E.map(({ settings, ignored }) => unetWith(settings, conditionSettingsOf(settings), ignored)),
  )

/**
 * The settings of {@link unet2d} from the config.json of diffusers' `UNet2DModel`, or of the plain case of its `UNet2DConditionModel`, where that is the
 * `_class_name`; Left with the first setting that is wrong, or is not built here.
 *
 * @example
 * ```ts
 * import { decodeDiffusersUnet2d } from 'fathom/models'
 *
 * const cifar10 = { _class_name: 'UNet2DModel', block_out_channels: [128, 256, 256, 256], down_block_types: ['DownBlock2D', 'AttnDownBlock2D', 'DownBlock2D', 'DownBlock2D'], up_block_types: ['UpBlock2D', 'UpBlock2D', 'AttnUpBlock2D', 'UpBlock2D'] }
 * decodeDiffusersUnet2d(cifar10) // => right({ channels: 3, settings: { widths: [128, 256, 256, 256], down: ['plain', 'attention', 'plain', 'plain'], … }, ignored: [], … })
 * decodeDiffusersUnet2d({ down_block_types: ['KDownBlock2D'] }) // => left({ inside: { path: 'down_block_types', … }, … })
 * ```
 */
export const decodeDiffusersUnet2d = (json: unknown): E.Either<Fault, DiffusersUnet> =>
  pipe(
    isRecord(json) && json['_class_name'] === 'UNet2DConditionModel' ? readConditioned(json) : readPlain(json),
    E.chain((unet) => {
      const fault = faultOf(unet.settings)
      if (fault === undefined) return E.right(unet)
      const { setting, expected } = fault
      return E.left(faultIn(theirNames[setting] ?? setting, unet.settings[setting], { expected }))
    }),
  )
