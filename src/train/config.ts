/**
 * Making the configuration of a run from settings by name, with Either. What is wrong is said in words that help: unknown keys name
 * the nearest, values that do not fit say which do.
 */
import type { E } from '../prelude/fp.ts'
import type { AutoencoderRun } from './tasks/autoencoder/autoencoderConfig.ts'
import { autoencoderSettings } from './tasks/autoencoder/autoencoderSettings.ts'
import type { DiffusionRun } from './tasks/diffusion/diffusionConfig.ts'
import { diffusionSettings } from './tasks/diffusion/diffusionSettings.ts'
import { madeBy } from './tasks/settings.ts'
import type { TrainError } from './trainError.ts'

/**
 * The names of all settings of a run that trains a diffusion model.
 *
 * @example
 * ```ts
 * import { settings } from 'fathom/train'
 *
 * settings.includes('learningRate') // => true
 * ```
 */
export const settings: readonly string[] = diffusionSettings.names

const diffusion = madeBy(diffusionSettings)
const autoencoder = madeBy(autoencoderSettings)

/**
 * The configuration of a diffusion model that some settings make: over those of their preset (`tiny` if none is named) and the defaults. Settings of the
 * model may be named one by one: over the preset's model, or, where they name another kind, over the defaults of that. One that is
 * undefined counts as absent.
 *
 * @returns Left with a message that names the setting, what it may be, and for an unknown one the nearest
 * @example
 * ```ts
 * import { configOf } from 'fathom/train'
 *
 * configOf({ out: 'runs/sea', preset: 'tiny', steps: 10 }) // => right({ steps: 10, batch: 16, folder: null, … })
 * configOf({ out: 'runs/sea', stpes: 10 }) // => left({ message: 'stpes is not a setting; did you mean steps?', … })
 * ```
 */
export const configOf = (given: { readonly [setting: string]: unknown }): E.Either<TrainError, DiffusionRun> =>
  diffusion(given)

/**
 * The configuration of an autoencoder's training that some settings make, over those of their preset (`vae-64` if none is named) and the defaults.
 *
 * @returns Left with a message that names the setting, what it may be, and for an unknown one the nearest
 * @example
 * ```ts
 * import { autoencoderConfigOf } from 'fathom/train'
 *
 * autoencoderConfigOf({ out: 'runs/vae', steps: 10 }) // => right({ steps: 10, task: 'autoencoder', folder: null, … })
 * autoencoderConfigOf({ out: 'runs/vae', crop: 30 }) // => left({ message: 'crop must be a multiple of 16, …', … })
 * ```
 */
export const autoencoderConfigOf = (given: {
  readonly [setting: string]: unknown
}): E.Either<TrainError, AutoencoderRun> => autoencoder(given)
