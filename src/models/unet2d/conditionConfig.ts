/** The configuration of diffusers' `UNet2DConditionModel`, the plain case: tokens, times and classes, as in Stable Diffusion 1 and 2. */
import {
  expects,
  list,
  number,
  oneOf,
  optional,
  whole,
  type Decoder,
  type Fault,
  type Fields,
} from '../../prelude/decode.ts'
import { E } from '../../prelude/fp.ts'
import { channelCount, flag, listOf } from '../autoencoder/fields.ts'
import { actFn, activationOf, overDefaults, type ActFn, type Read } from '../diffusersSettings.ts'
import type { StageKind, Unet2dSettings } from './stages.ts'

/** How diffusers calls the stages of such a network. */
const kinds = {
  DownBlock2D: 'plain',
  UpBlock2D: 'plain',
  CrossAttnDownBlock2D: 'cross-attention',
  CrossAttnUpBlock2D: 'cross-attention',
} as const satisfies Readonly<Record<string, StageKind>>

/** diffusers' settings, by their names. */
export interface DiffusersConditionUnet {
  readonly in_channels: number
  readonly out_channels: number
  readonly center_input_sample: boolean
  readonly freq_shift: number
  readonly flip_sin_to_cos: boolean
  readonly time_embedding_dim?: number
  readonly down_block_types: readonly ('DownBlock2D' | 'CrossAttnDownBlock2D')[]
  readonly up_block_types: readonly ('UpBlock2D' | 'CrossAttnUpBlock2D')[]
  readonly block_out_channels: readonly number[]
  readonly layers_per_block: number
  readonly downsample_padding: number
  readonly mid_block_scale_factor: number
  readonly dropout: number
  readonly act_fn: ActFn
  readonly norm_num_groups: number
  readonly norm_eps: number
  readonly cross_attention_dim: number
  readonly transformer_layers_per_block: number
  readonly attention_head_dim: number | readonly number[]
  readonly use_linear_projection: boolean
  readonly num_class_embeds?: number
  readonly resnet_time_scale_shift: 'default' | 'scale_shift'
}

/** What has one of these values, or none, as null is: with others it is a setting of another network. */
const oneAmong =
  (...values: readonly unknown[]): Decoder<unknown> =>
  (x) =>
    x === undefined || values.includes(x)
      ? E.right(x)
      : expects(`${[...values.map(String), 'null'].join(' or ')}: networks with another are not built here`)

const heads: Decoder<number | readonly number[]> = (x) => (Array.isArray(x) ? list(12, 8192)(x) : whole(1, 8192)(x))

/** Settings of other networks, with the values for which they are this one. */
const elsewhere = {
  mid_block_type: oneAmong('UNetMidBlock2DCrossAttn'),
  time_embedding_type: oneAmong('positional'),
  attention_type: oneAmong('default'),
  only_cross_attention: oneAmong(false),
  dual_cross_attention: oneAmong(false),
  class_embeddings_concat: oneAmong(false),
  resnet_skip_time_act: oneAmong(false),
  resnet_out_scale_factor: oneAmong(1),
  conv_in_kernel: oneAmong(3),
  conv_out_kernel: oneAmong(3),
  upcast_attention: oneAmong(false, true), // how PyTorch computes
  mid_block_only_cross_attention: oneAmong(),
  encoder_hid_dim: oneAmong(),
  encoder_hid_dim_type: oneAmong(),
  addition_embed_type: oneAmong(),
  addition_time_embed_dim: oneAmong(),
  projection_class_embeddings_input_dim: oneAmong(),
  num_attention_heads: oneAmong(),
  reverse_transformer_layers_per_block: oneAmong(),
  time_embedding_act_fn: oneAmong(),
  timestep_post_act: oneAmong(),
  time_cond_proj_dim: oneAmong(),
  class_embed_type: oneAmong(),
  cross_attention_norm: oneAmong(),
}

type Elsewhere = { readonly [K in keyof typeof elsewhere]?: unknown }

const fields: Fields<DiffusersConditionUnet & Elsewhere> = {
  in_channels: channelCount,
  out_channels: channelCount,
  center_input_sample: flag,
  freq_shift: number('a finite number', Number.isFinite),
  flip_sin_to_cos: flag,
  time_embedding_dim: optional(whole(1, 65_536)),
  down_block_types: listOf(
    oneOf('DownBlock2D', 'CrossAttnDownBlock2D'),
    'a list of DownBlock2D, CrossAttnDownBlock2D: no others are built here beside tokens',
  ),
  up_block_types: listOf(
    oneOf('UpBlock2D', 'CrossAttnUpBlock2D'),
    'a list of UpBlock2D, CrossAttnUpBlock2D: no others are built here beside tokens',
  ),
  block_out_channels: list(12, 8192),
  layers_per_block: whole(1, 64),
  downsample_padding: whole(0, 1),
  mid_block_scale_factor: number('a finite number above 0', (x) => x > 0 && Number.isFinite(x)),
  dropout: number('a number from 0 to below 1', (x) => x >= 0 && x < 1),
  act_fn: actFn,
  norm_num_groups: whole(1, 8192),
  norm_eps: number('a finite number above 0', (x) => x > 0 && Number.isFinite(x)),
  cross_attention_dim: whole(1, 65_536),
  transformer_layers_per_block: whole(1, 64),
  attention_head_dim: heads,
  use_linear_projection: flag,
  num_class_embeds: optional(whole(1, 1_000_000)),
  resnet_time_scale_shift: oneOf('default', 'scale_shift'),
  ...elsewhere,
}

const defaults = {
  in_channels: 4,
  out_channels: 4,
  center_input_sample: false,
  freq_shift: 0,
  flip_sin_to_cos: true,
  down_block_types: ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
  up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
  block_out_channels: [320, 640, 1280, 1280],
  layers_per_block: 2,
  downsample_padding: 1,
  mid_block_scale_factor: 1,
  dropout: 0,
  act_fn: 'silu',
  norm_num_groups: 32,
  norm_eps: 1e-5,
  cross_attention_dim: 1280,
  transformer_layers_per_block: 1,
  attention_head_dim: 8,
  use_linear_projection: false,
  resnet_time_scale_shift: 'default',
} as const satisfies DiffusersConditionUnet

/** Decodes such a configuration. */
export const readConditionConfig = (json: unknown): E.Either<Fault, Read<DiffusersConditionUnet>> =>
  overDefaults<DiffusersConditionUnet & Elsewhere>(fields, defaults)(json)

/** Its settings as ours. What diffusers calls `attention_head_dim` has always been the number of heads here. */
export const conditionSettingsOf = (theirs: DiffusersConditionUnet): Unet2dSettings => ({
  widths: theirs.block_out_channels,
  layers: theirs.layers_per_block,
  down: theirs.down_block_types.map((name) => kinds[name]),
  up: theirs.up_block_types.map((name) => kinds[name]),
  attention: 'cross',
  tokenWidth: theirs.cross_attention_dim,
  heads: theirs.attention_head_dim,
  transformerLayers: theirs.transformer_layers_per_block,
  linearProjection: theirs.use_linear_projection,
  groups: theirs.norm_num_groups,
  epsilon: theirs.norm_eps,
  activation: activationOf(theirs.act_fn),
  downPadding: theirs.downsample_padding === 0 ? 0 : 1,
  scaleShift: theirs.resnet_time_scale_shift === 'scale_shift',
  middleScale: theirs.mid_block_scale_factor,
  time: 'positional',
  ...(theirs.time_embedding_dim !== undefined && { timeWidth: theirs.time_embedding_dim }),
  frequencyShift: theirs.freq_shift,
  cosinesFirst: theirs.flip_sin_to_cos,
  centre: theirs.center_input_sample,
  conditions: theirs.num_class_embeds ?? 0,
  dropout: theirs.dropout,
})
