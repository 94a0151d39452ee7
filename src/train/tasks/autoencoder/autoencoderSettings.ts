/** How the configurations of an autoencoder's training are decoded and made. */
import { autoencoderDefaults, autoencoderKinds, type AutoencoderConfig } from '../../../models/autoencoder/registry.ts'
import { record } from '../../../prelude/decode.ts'
import { isRecord } from '../../../prelude/record.ts'
import type { Named, PresetOf, Settings } from '../settings.ts'
import {
  autoencoderFields,
  checkAutoencoder,
  leastJudged,
  type AutoencoderRun,
  type LossWeights,
} from './autoencoderConfig.ts'
import { presets } from './presets.ts'

type AutoencoderPreset = PresetOf<AutoencoderRun>

/**
 * The autoencoder that some settings make: over the preset's where they name its kind or none, and over the defaults of their own kind where they
 * name another. It is of pictures of so many channels.
 */
const autoencoderWith = (base: AutoencoderConfig, given: unknown, channels: unknown): unknown => {
  const counted = channels === undefined ? {} : { channels }
  if (given !== undefined && !isRecord(given)) return given
  const named: Named = { ...counted, ...given }
  const another = autoencoderKinds.find((kind) => kind === named['kind'] && kind !== base.kind)
  return { ...(another === undefined ? base : autoencoderDefaults(another)), ...named }
}

/** A record of settings with those that are named one by one; what is no record stays as it is, to be refused. */
const over = (chosen: object, given: unknown): unknown =>
  isRecord(given) ? { ...chosen, ...given } : (given ?? chosen)

/** What the features of a network count where nothing else is said. */
const usualFeatureWeight = 0.1

/** Weights without one of 0, which says what its absence says. */
const withoutNothing = (weights: unknown): unknown => {
  if (!isRecord(weights) || !(weights['features'] === 0 || weights['features'] === undefined)) return weights
  const { features: _, ...others } = weights
  return others
}

/** What sees, and what it counts: `none` for nothing. */
const withFeatures = (features: unknown, weights: unknown): Named => {
  if (features === 'none')
    return { features: undefined, weights: isRecord(weights) ? withoutNothing({ ...weights, features: 0 }) : weights }
  if (features === undefined || !isRecord(weights)) return { weights }
  return { weights: { features: usualFeatureWeight, ...weights } }
}

/** The preset's crop, or where pictures are smaller the side of one. */
const cropWithin = ({ crop, ...size }: AutoencoderPreset, named: Named): number =>
  (['height', 'width'] as const).reduce((most, side) => {
    const given = named[side] ?? size[side]
    return typeof given === 'number' ? Math.min(most, given) : most
  }, crop)

/** The preset's weights, without an adversary where crops are smaller than what one judges. */
const weightsWithin = ({ weights, adversary }: AutoencoderPreset, named: Named, crop: unknown): LossWeights => {
  const given = isRecord(named['adversary']) ? named['adversary']['layers'] : undefined
  const least = leastJudged(typeof given === 'number' ? given : adversary.layers)
  return typeof crop === 'number' && crop < least ? { ...weights, adversary: 0 } : weights
}

/** How configurations of this task are decoded and made. */
export const autoencoderSettings: Settings<AutoencoderRun> = {
  task: 'autoencoder',
  names: Object.keys(autoencoderFields),
  decode: record(autoencoderFields),
  withChoices: ({ channels, features, weights, ...settings }) => ({
    ...settings,
    weights: withoutNothing(weights),
    ...(features !== undefined && { features }),
    ...(channels !== undefined && channels !== 3 && { channels }),
  }),
  inside: (chosen, named) => {
    const crop = named['crop'] ?? cropWithin(chosen, named)
    return {
      task: 'autoencoder',
      autoencoder: autoencoderWith(chosen.autoencoder, named['autoencoder'], named['channels']),
      ...withFeatures(named['features'], over(weightsWithin(chosen, named, crop), named['weights'])),
      adversary: over(chosen.adversary, named['adversary']),
      crop,
    }
  },
  check: checkAutoencoder,
  presets,
  usualPreset: 'vae-64',
}
