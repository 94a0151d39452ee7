/** How the configurations of an autoencoder's training are decoded and made. */
import { autoencoderDefaults, autoencoderKinds, type AutoencoderConfig } from '../../../models/autoencoder/registry.ts'
import { record } from '../../../prelude/decode.ts'
import { isRecord } from '../../../prelude/record.ts'
import type { Named, Settings } from '../settings.ts'
import { autoencoderFields, checkAutoencoder, type AutoencoderRun } from './autoencoderConfig.ts'
import { presets } from './presets.ts'

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

/** How configurations of this task are decoded and made. */
export const autoencoderSettings: Settings<AutoencoderRun> = {
  task: 'autoencoder',
  names: Object.keys(autoencoderFields),
  decode: record(autoencoderFields),
  withChoices: ({ channels, ...settings }) => ({
    ...settings,
    ...(channels !== undefined && channels !== 3 && { channels }),
  }),
  inside: (chosen, named) => ({
    task: 'autoencoder',
    autoencoder: autoencoderWith(chosen.autoencoder, named['autoencoder'], named['channels']),
    weights: over(chosen.weights, named['weights']),
    adversary: over(chosen.adversary, named['adversary']),
  }),
  check: checkAutoencoder,
  presets,
  usualPreset: 'vae-64',
}
