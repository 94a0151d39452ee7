/**
 * The task of an autoencoder: it makes crops of pictures small, and pictures of them again.
 *
 * Random numbers depend on the key of the step and on a crop's place in the whole step, not on how the step is cut into parts.
 */
import type { Autoencoder } from '../../../models/autoencoder/autoencoder.ts'
import type { BuiltAutoencoder } from '../../../models/autoencoder/registry.ts'
import { product } from '../../../prelude/array.ts'
import { zeros } from '../../../tensor/create.ts'
import { bernoulli, foldIn, normal, randint, split } from '../../../tensor/random.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { averageInWords } from '../../averages.ts'
import type { Measured, Task } from '../../task.ts'
import type { AutoencoderRun } from './autoencoderConfig.ts'
import type { FrozenFeatures } from './frozenFeatures.ts'
import { adversaryOf, autoencoderLearning, type AutoencoderDraws, type AutoencoderTaskParams } from './learning.ts'

/** The task. */
export type AutoencoderTask<Enc, Dec> = Task<AutoencoderTaskParams<Enc, Dec>, Tensor, AutoencoderDraws>

/** Height, width and channels of the latents of a crop. */
const latentsOf = <Enc, Dec>({ crop }: AutoencoderRun, { factor, latentChannels }: Autoencoder<Enc, Dec>) =>
  [crop / factor, crop / factor, latentChannels] as const

const signed = (x: number): string => `${x < 0 ? '−' : '+'}${Math.abs(x).toFixed(1)}`

/** What was measured, in words: decibels mean nothing without the line that a linear code reaches. */
const measuredInWords = ({ psnr, linearPsnr, ssim, ...others }: Measured): readonly string[] => {
  if (psnr === undefined) return []
  const short = `held-out ${psnr.toFixed(1)} dB`
  if (linearPsnr === undefined) return [short]
  const long = `${short}, ${signed(psnr - linearPsnr)} over a linear code`
  return [
    short,
    long,
    ...(ssim === undefined ? [] : [`${long}, similarity ${ssim.toFixed(3)}${averageInWords(others)}`]),
  ]
}

/**
 * The task of a configuration.
 *
 * @param built the autoencoder of the configuration
 * @param sees by whose features reconstructions are compared, where those count
 */
export const autoencoderTask = <Enc, Dec>(
  config: AutoencoderRun,
  { autoencoder, title }: Pick<BuiltAutoencoder<Enc, Dec>, 'autoencoder' | 'title'>,
  sees?: FrozenFeatures,
): AutoencoderTask<Enc, Dec> => {
  const { height, width, channels = 3, crop, flip } = config
  const { encoder, decoder, factor, latentChannels } = autoencoder
  const latents = latentsOf(config, autoencoder)
  const picture = [crop, crop, channels] as const
  const adversary = adversaryOf(config)
  return {
    words: {
      model: `${title} ${height}×${width} → ${height / factor}×${width / factor}×${latentChannels}`,
      goal: `reconstructs crops of ${crop}×${crop}${adversary === undefined ? '' : ', at last against an adversary'}`,
      example: { one: 'a crop', many: 'crops', short: 'crop' },
      measured: measuredInWords,
    },
    init: (key) => ({
      encoder: encoder.init(foldIn(key, 'encoder')),
      decoder: decoder.init(foldIn(key, 'decoder')),
      ...(adversary !== undefined && { adversary: adversary.init(foldIn(key, 'adversary')) }),
    }),
    draws: (key, count, first) => {
      const [noise, mirrors, turns] = split(key, 3)
      return {
        noise: normal(noise, [count, ...latents], 'f32', first?.mul(product(latents))),
        mirrored: bernoulli(mirrors, flip ? 0.5 : 0, [count], first),
        turns: randint(turns, [count], 0, 4, first),
        ...(sees !== undefined && {
          disturbance: normal(foldIn(key, 'features'), [count, ...picture], 'f32', first?.mul(product(picture))),
        }),
      }
    },
    loss: autoencoderLearning(config, autoencoder, sees),
    blank: (count) => zeros([count, crop, crop, channels], 'u8'),
    losses: [{ name: 'heldOut', about: 'the loss on held-out pictures', curve: 'held out' }],
  }
}
