/**
 * Making the configuration of a run from settings by name, with Either. What is wrong is said in words that help: unknown keys name
 * the nearest, values that do not fit say which do.
 */
import type { E } from '../prelude/fp.ts'
import type { AutoencoderRun } from './tasks/autoencoder/autoencoderConfig.ts'
import { autoencoderSettings } from './tasks/autoencoder/autoencoderSettings.ts'
import type { ClassificationRunConfig } from './tasks/classification/classificationConfig.ts'
import { classificationSettings } from './tasks/classification/classificationSettings.ts'
import type { DiffusionRun } from './tasks/diffusion/diffusionConfig.ts'
import { diffusionSettings } from './tasks/diffusion/diffusionSettings.ts'
import { madeBy } from './tasks/settings.ts'
import type { TextRunConfig } from './tasks/text/textConfig.ts'
import { textSettings } from './tasks/text/textSettings.ts'
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
const classifier = madeBy(classificationSettings)
const text = madeBy(textSettings)

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

/**
 * The configuration of a classifier's training that some settings make, over those of their preset (`classes-32` if none is named) and the defaults. Its
 * `labels` are the subfolders of the pictures, as `classesIn` finds them, or some of what procedural seas show.
 *
 * @returns Left with a message that names the setting, what it may be, and for an unknown one the nearest
 * @example
 * ```ts
 * import { classifierConfigOf } from 'fathom/train'
 *
 * const data = { folder: 'pictures', out: 'runs/what', labels: ['boat', 'bridge'] }
 * classifierConfigOf({ ...data, model: { kind: 'mlp', hidden: [64] } }) // => right({ task: 'classification', … })
 * classifierConfigOf({ ...data, model: { kind: 'vit', patch: 5 } }) // => left({ message: 'vit: patches of 5×5 do not tile pictures of 32×32: …', … })
 * classifierConfigOf({ ...data, labels: ['boat'] }) // => left({ message: 'labels must be two classes at least, …', … })
 * ```
 */
export const classifierConfigOf = (given: {
  readonly [setting: string]: unknown
}): E.Either<TrainError, ClassificationRunConfig> => classifier(given)

/**
 * The configuration of a text model's training that some settings make, over those of their preset (`text-128` if none is named) and the defaults. Its
 * `folder` is the file of the text, and its `alphabet` the characters of that, as `alphabetIn` finds them, unless its tokens are bytes.
 *
 * @returns Left with a message that names the setting, what it may be, and for an unknown one the nearest
 * @example
 * ```ts
 * import { textConfigOf } from 'fathom/train'
 *
 * textConfigOf({ folder: 'sea.txt', out: 'runs/sea', tokens: 'bytes', model: { context: 64 } }) // => right({ task: 'text', … })
 * textConfigOf({ folder: 'sea.txt', out: 'runs/sea' }) // => left({ message: 'alphabet must be the characters of the text, …', … })
 * ```
 */
export const textConfigOf = (given: { readonly [setting: string]: unknown }): E.Either<TrainError, TextRunConfig> =>
  text(given)
