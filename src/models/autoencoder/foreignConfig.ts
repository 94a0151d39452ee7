/** Configurations of diffusers' autoencoders: their settings by their names, and ours. */
import { expects, list, number, optional, whole, type Decoder, type Fields } from '../../prelude/decode.ts'
import { E } from '../../prelude/fp.ts'
import { actFn, activationOf, type ActFn } from '../diffusersSettings.ts'
import { channelCount, finiteList, flag } from './fields.ts'
import type { LatentScaling } from './scaling.ts'
import type { TrunkConfig } from './trunk.ts'

/** The scale of latents, as diffusers spells it. */
export interface DiffusersScaling {
  readonly scaling_factor: number
  readonly shift_factor?: number
  readonly latents_mean?: readonly number[]
  readonly latents_std?: readonly number[]
}

const aboveZero = number('a finite number above 0', (x) => x > 0 && Number.isFinite(x))

/** Their decoders. */
export const diffusersScalingFields: Fields<DiffusersScaling> = {
  scaling_factor: aboveZero,
  shift_factor: optional(number('a finite number', Number.isFinite)),
  latents_mean: optional(finiteList),
  latents_std: optional(finiteList),
}

/** The scale here. */
export const scalingOf = (theirs: DiffusersScaling): LatentScaling => ({
  factor: theirs.scaling_factor,
  ...(theirs.shift_factor === undefined ? {} : { shift: theirs.shift_factor }),
  ...(theirs.latents_mean === undefined ? {} : { mean: theirs.latents_mean }),
  ...(theirs.latents_std === undefined ? {} : { deviation: theirs.latents_std }),
})

/** The settings that diffusers' `AutoencoderKL` and `VQModel` share, by their names. */
export interface DiffusersTrunk {
  readonly in_channels: number
  readonly out_channels: number
  readonly down_block_types: readonly string[]
  readonly up_block_types: readonly string[]
  readonly block_out_channels: readonly number[]
  readonly layers_per_block: number
  readonly act_fn: ActFn
  readonly latent_channels: number
  readonly norm_num_groups: number
  readonly mid_block_add_attention: boolean
}

/** A list of kinds of blocks. */
const blockTypes =
  (plain: string, attentive: string): Decoder<readonly string[]> =>
  (x) =>
    Array.isArray(x) && x.every((kind): kind is string => kind === plain || kind === attentive)
      ? E.right(x)
      : expects(`a list of ${plain} and ${attentive}: other blocks are not those of an autoencoder`)

/** Their decoders. */
export const diffusersTrunkFields: Fields<DiffusersTrunk> = {
  in_channels: channelCount,
  out_channels: channelCount,
  down_block_types: blockTypes('DownEncoderBlock2D', 'AttnDownEncoderBlock2D'),
  up_block_types: blockTypes('UpDecoderBlock2D', 'AttnUpDecoderBlock2D'),
  block_out_channels: list(12, 8192),
  layers_per_block: whole(1, 64),
  act_fn: actFn,
  latent_channels: channelCount,
  norm_num_groups: whole(1, 8192),
  mid_block_add_attention: flag,
}

/** Their defaults. */
export const diffusersTrunkDefaults: DiffusersTrunk = {
  in_channels: 3,
  out_channels: 3,
  down_block_types: ['DownEncoderBlock2D'],
  up_block_types: ['UpDecoderBlock2D'],
  block_out_channels: [64],
  layers_per_block: 1,
  act_fn: 'silu',
  latent_channels: 4,
  norm_num_groups: 32,
  mid_block_add_attention: true,
}

/** The settings here. */
export const trunkOf = (theirs: DiffusersTrunk): TrunkConfig => {
  const attentive = (kinds: readonly string[]): readonly boolean[] => kinds.map((kind) => kind.startsWith('Attn'))
  return {
    channels: theirs.in_channels,
    outChannels: theirs.out_channels,
    latentChannels: theirs.latent_channels,
    widths: theirs.block_out_channels,
    layers: theirs.layers_per_block,
    activation: activationOf(theirs.act_fn),
    groups: theirs.norm_num_groups,
    attention: theirs.mid_block_add_attention,
    encoderAttention: attentive(theirs.down_block_types),
    decoderAttention: attentive(theirs.up_block_types),
  }
}
