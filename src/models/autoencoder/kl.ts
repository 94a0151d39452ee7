/**
 * The variational autoencoder of latent diffusion (Rombach et al. 2022), diffusers' `AutoencoderKL`, with shortcuts and without norms where that is
 * wanted: a convolutional encoder to a normal distribution of latents, and a decoder.
 */
import { requireKnown } from '../../prelude/options.ts'
import { optional, record, type Fields } from '../../prelude/decode.ts'
import { E, pipe } from '../../prelude/fp.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Autoencoder } from './autoencoder.ts'
import type { AutoencoderFamily } from './family.ts'
import { flag } from './fields.ts'
import { overDefaults } from '../diffusersSettings.ts'
import {
  diffusersScalingFields,
  diffusersTrunkDefaults,
  diffusersTrunkFields,
  scalingOf,
  trunkOf,
  type DiffusersScaling,
  type DiffusersTrunk,
} from './foreignConfig.ts'
import { posteriorOf, type Posterior } from './posterior.ts'
import {
  factorOfTrunk,
  faultOfTrunk,
  trunkDecoder,
  trunkEncoder,
  type DecoderParams,
  type EncoderParams,
} from './trunk.ts'
import { fitting, trunkFamily, trunkFamilyDefaults, trunkFamilyFields, type TrunkFamilyConfig } from './trunkFamily.ts'

/** The settings of {@link autoencoderKl}. */
export interface KlConfig extends TrunkFamilyConfig {
  readonly kind?: 'kl'
  /** Whether the means of latents are bounded softly to (−3, 3), as 3·tanh(z/3). */
  readonly softBound?: boolean
}

/** 3·tanh(z/3), near z for small z and never beyond ±3. */
export const softlyBounded = (z: Tensor): Tensor => z.div(3).tanh().mul(3)

/**
 * A variational autoencoder: pictures [N, H, W, channels] to a posterior of [N, H / f, W / f, latentChannels] with f = 2^(stages − 1), and latents back
 * to pictures.
 *
 * @throws RangeError for settings that do not fit together; ShapeError for pictures and latents of other sizes
 * @example
 * ```ts
 * import { key, normal, zeros } from 'fathom'
 * import { autoencoderKl, samplePosterior } from 'fathom/models'
 *
 * const { encoder, decoder, factor } = autoencoderKl({ channels: 3, latentChannels: 4, widths: [8, 16], layers: 1, groups: 4 })
 * const posterior = encoder.apply(encoder.init(key(0)), zeros([1, 8, 8, 3]))
 * posterior.mean.shape // => [1, 4, 4, 4]
 * const z = samplePosterior(posterior, normal(key(1), posterior.mean.shape))
 * decoder.apply(decoder.init(key(2)), z).shape // => [1, 8, 8, 3]
 * factor // => 2
 * ```
 */
export const autoencoderKl = (config: KlConfig): Autoencoder<EncoderParams, DecoderParams> => {
  requireKnown('autoencoderKl', config, ['kind', ...Object.keys(fields)])
  const { latentChannels, softBound = false } = config
  const fault = faultOfTrunk(config)
  if (fault !== undefined) throw new RangeError(`autoencoderKl: its widths and lists must be ${fault}`)
  const moments = trunkEncoder(config, 2 * latentChannels)
  return {
    encoder: {
      init: moments.init,
      apply: (params, x, mode): Posterior => {
        const { mean, logVariance } = posteriorOf(moments.apply(params, x, mode))
        return { mean: softBound ? softlyBounded(mean) : mean, logVariance }
      },
    },
    decoder: trunkDecoder(config, latentChannels),
    factor: factorOfTrunk(config),
    latentChannels,
  }
}

const fields: Fields<Omit<KlConfig, 'kind'>> = {
  ...trunkFamilyFields,
  softBound: optional(flag),
}

/** diffusers' settings, by their names. */
interface DiffusersKl extends DiffusersTrunk, DiffusersScaling {
  readonly use_quant_conv: boolean
  readonly use_post_quant_conv: boolean
}

const readDiffusers = overDefaults<DiffusersKl>(
  { ...diffusersTrunkFields, ...diffusersScalingFields, use_quant_conv: flag, use_post_quant_conv: flag },
  { ...diffusersTrunkDefaults, scaling_factor: 0.18215, use_quant_conv: true, use_post_quant_conv: true },
)

/**
 * The family of {@link autoencoderKl}.
 *
 * @example
 * ```ts
 * import { klFamily } from 'fathom/models'
 *
 * const stable = { block_out_channels: [128, 256, 512, 512], layers_per_block: 2, down_block_types: Array(4).fill('DownEncoderBlock2D'), up_block_types: Array(4).fill('UpDecoderBlock2D') }
 * klFamily.decodeDiffusersConfig(stable) // => right({ config: { widths: [128, 256, 512, 512], scaling: { factor: 0.18215 }, … }, ignored: [] })
 * ```
 */
export const klFamily: AutoencoderFamily<KlConfig, EncoderParams, DecoderParams> = {
  ...trunkFamily,
  name: 'kl',
  title: 'variational autoencoder',
  defaults: trunkFamilyDefaults,
  decode: (input) => pipe(record(fields)(input), E.chain(fitting)),
  build: autoencoderKl,
  latentChannels: ({ latentChannels }) => latentChannels,
  diffusersClass: 'AutoencoderKL',
  decodeDiffusersConfig: (json) =>
    pipe(
      readDiffusers(json),
      E.chain(({ settings, ignored }) => {
        const config: KlConfig = {
          ...trunkOf(settings),
          quantConv: settings.use_quant_conv,
          postQuantConv: settings.use_post_quant_conv,
          scaling: scalingOf(settings),
        }
        return pipe(
          fitting(config),
          E.map((config) => ({ config, ignored })),
        )
      }),
    ),
}
