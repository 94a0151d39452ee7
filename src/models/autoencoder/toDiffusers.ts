/** Configurations of ours as those of diffusers' autoencoders. */
import { faultIn, type Fault } from '../../prelude/decode.ts'
import { E, pipe } from '../../prelude/fp.ts'
import type { KlConfig } from './kl.ts'
import type { AutoencoderConfig } from './registry.ts'
import { unscaled, type LatentScaling } from './scaling.ts'
import type { TinyConfig } from './tiny.ts'
import type { TrunkConfig } from './trunk.ts'
import type { VqConfig } from './vq.ts'

/** Settings of diffusers, by their names. */
type Json = Readonly<Record<string, unknown>>

/** A setting that diffusers has no word for, where it is not what diffusers does. */
type Unsaid = readonly [name: string, value: unknown, only: unknown]

const requireSayable = (settings: readonly Unsaid[]): E.Either<Fault, void> => {
  const found = settings.find(([, value, only]) => value !== only)
  if (found === undefined) return E.right(undefined)
  const [name, value, only] = found
  return E.left(faultIn(name, value, { expected: `${String(only)}, for diffusers has nothing else` }))
}

const scalingJson = ({ factor, shift, mean, deviation }: LatentScaling): Json => ({
  scaling_factor: factor,
  ...(shift !== undefined && { shift_factor: shift }),
  ...(mean !== undefined && { latents_mean: mean }),
  ...(deviation !== undefined && { latents_std: deviation }),
})

/** What of the trunk diffusers has no word for. */
const unsaidOfTrunk = ({ norm = 'group', epsilon = 1e-6, shortcuts = 'none' }: TrunkConfig): readonly Unsaid[] => [
  ['shortcuts', shortcuts, 'none'],
  ['norm', norm, 'group'],
  ['epsilon', epsilon, 1e-6],
]

const trunkJson = (config: TrunkConfig): Json => {
  const { widths, channels, encoderAttention = [], decoderAttention = [] } = config
  const kinds = (plain: string, attentive: readonly boolean[]): readonly string[] =>
    widths.map((_, i) => ((attentive[i] ?? false) ? `Attn${plain}` : plain))
  return {
    in_channels: channels,
    out_channels: config.outChannels ?? channels,
    down_block_types: kinds('DownEncoderBlock2D', encoderAttention),
    up_block_types: kinds('UpDecoderBlock2D', decoderAttention),
    block_out_channels: widths,
    layers_per_block: config.layers,
    act_fn: config.activation ?? 'silu',
    latent_channels: config.latentChannels,
    norm_num_groups: config.groups ?? 32,
    mid_block_add_attention: config.attention ?? false,
  }
}

const klJson = (config: KlConfig): E.Either<Fault, Json> =>
  pipe(
    requireSayable([...unsaidOfTrunk(config), ['softBound', config.softBound ?? false, false]]),
    E.map(() => ({
      _class_name: 'AutoencoderKL',
      ...trunkJson(config),
      ...scalingJson(config.scaling ?? unscaled),
      use_quant_conv: config.quantConv ?? false,
      use_post_quant_conv: config.postQuantConv ?? false,
    })),
  )

const vqJson = (config: VqConfig): E.Either<Fault, Json> =>
  pipe(
    requireSayable([
      ...unsaidOfTrunk(config),
      ['quantConv', config.quantConv ?? false, true],
      ['postQuantConv', config.postQuantConv ?? false, true],
    ]),
    E.map(() => ({
      _class_name: 'VQModel',
      ...trunkJson(config),
      ...scalingJson(config.scaling ?? unscaled),
      num_vq_embeddings: config.codes,
      vq_embed_dim: config.codeWidth ?? config.latentChannels,
      norm_type: 'group',
    })),
  )

const tinyJson = (config: TinyConfig): E.Either<Fault, Json> => {
  const { channels, width = 64, encoderBlocks = [1, 3, 3, 3], decoderBlocks = [3, 3, 3, 1] } = config
  return pipe(
    requireSayable([['midBlockPool', config.midBlockPool ?? false, false]]),
    E.map(() => ({
      _class_name: 'AutoencoderTiny',
      in_channels: channels,
      out_channels: channels,
      latent_channels: config.latentChannels,
      encoder_block_out_channels: encoderBlocks.map(() => width),
      decoder_block_out_channels: decoderBlocks.map(() => width),
      num_encoder_blocks: encoderBlocks,
      num_decoder_blocks: decoderBlocks,
      act_fn: config.activation ?? 'relu',
      upsampling_scaling_factor: 2,
      ...scalingJson(config.scaling ?? unscaled),
    })),
  )
}

const jsonOf = (config: AutoencoderConfig): E.Either<Fault, Json> => {
  switch (config.kind) {
    case 'kl':
      return klJson(config)
    case 'vq':
      return vqJson(config)
    case 'tiny':
      return tinyJson(config)
  }
}

/**
 * The config.json of diffusers for an autoencoder; Left with the first setting that diffusers has no word for, such as the shortcuts of the presets.
 *
 * @param scaling the scale of its latents, where another was measured than its configuration holds
 * @example
 * ```ts
 * import { decodeDiffusersAutoencoder, encodeDiffusersAutoencoder } from 'fathom/models'
 *
 * const config = { kind: 'kl', channels: 3, latentChannels: 4, widths: [16, 32], layers: 1, groups: 8, quantConv: true } as const
 * const json = encodeDiffusersAutoencoder(config, { factor: 0.5 })
 * if (json._tag === 'Left') throw new Error(json.left.expected)
 * json.right['scaling_factor'] // => 0.5
 * decodeDiffusersAutoencoder(json.right) // => right({ config: { kind: 'kl', widths: [16, 32], quantConv: true, … }, ignored: [] })
 * encodeDiffusersAutoencoder({ ...config, norm: 'none' }) // => left({ expected: 'group, for diffusers has nothing else', … })
 * ```
 */
export const encodeDiffusersAutoencoder = (
  config: AutoencoderConfig,
  scaling?: LatentScaling,
): E.Either<Fault, Readonly<Record<string, unknown>>> =>
  pipe(
    jsonOf(scaling === undefined ? config : { ...config, scaling }),
    E.map((json) => ({ ...json, _diffusers_version: '0.27.2' })),
  )
