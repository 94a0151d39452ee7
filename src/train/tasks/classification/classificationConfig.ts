/** The settings of a classifier's training, beside those that every run has; how they are decoded, and what they must be to one another. */
import {
  classifierOf,
  decodeClassifier,
  type AnyClassifier,
  type ClassifierConfig,
} from '../../../models/classifierRegistry.ts'
import { expects, oneOf, optional, whole, type Decoder, type Fields } from '../../../prelude/decode.ts'
import { E, pipe } from '../../../prelude/fp.ts'
import { labelNames } from '../../pictures/labelNames.ts'
import { runFields, type RunConfig } from '../../runConfig.ts'
import { settingError, trainError, type TrainError } from '../../trainError.ts'

/** What a classifier is, and what it is trained for. */
export interface ClassificationTaskConfig {
  readonly task: 'classification'
  /** Size of the pictures in pixels. */
  readonly height: number
  readonly width: number
  /** Channels of the pictures: 1 is grey, 4 has opacity; absent, 3. */
  readonly channels?: 1 | 3 | 4
  readonly model: ClassifierConfig
  /** The classes: the subfolders in which pictures lie, or what seas show. The network says one number of each, in this order. */
  readonly labels: readonly string[]
  /** Whether a picture may show several of them at once, as a sea does. */
  readonly several: boolean
  /** Whether pictures are mirrored at random. */
  readonly flip: boolean
  /** `groups` holds near-duplicates out together, so that held out means held out. */
  readonly split?: 'groups'
}

/** The configuration of a run that trains a classifier. */
export type ClassificationRunConfig = RunConfig & ClassificationTaskConfig

const truth: Decoder<boolean> = (x) => (typeof x === 'boolean' ? E.right(x) : expects('true or false'))

/** What each setting must be. */
export const classificationFields: Fields<ClassificationRunConfig> = {
  ...runFields,
  task: oneOf('classification'),
  height: whole(1, 8192),
  width: whole(1, 8192),
  channels: optional((x) => (x === 1 || x === 3 || x === 4 ? E.right(x) : expects('1, 3 or 4'))),
  model: decodeClassifier,
  labels: labelNames,
  several: truth,
  flip: truth,
  split: optional(oneOf('groups')),
}

/** The network of a configuration. @throws RangeError for pictures that it cannot take */
export const networkOf = ({ height, width, channels = 3, labels, model }: ClassificationRunConfig): AnyClassifier =>
  classifierOf(model, { size: [height, width], channels, classes: labels.length })

/** What is wrong with settings of procedural seas, which are of colour and show several things. */
const faultOfSeas = ({ folder, channels = 3, several }: ClassificationRunConfig): TrainError | undefined => {
  if (folder !== null) return undefined
  if (channels !== 3)
    return settingError({ path: 'channels', expected: '3 for procedural seas', got: String(channels) })
  return several
    ? undefined
    : settingError({ path: 'several', expected: 'true for procedural seas', got: String(several) })
}

/** What the values must be to one another. */
export const checkClassification = (config: ClassificationRunConfig): E.Either<TrainError, ClassificationRunConfig> => {
  const { labels, several } = config
  const fault = faultOfSeas(config)
  if (fault !== undefined) return E.left(fault)
  if (labels.length < 2 && !several)
    return E.left(
      settingError({
        path: 'labels',
        expected: 'two classes at least, of which one is said',
        got: JSON.stringify(labels),
      }),
    )
  return pipe(
    E.tryCatch(
      () => networkOf(config),
      (error) => trainError('CFG', error instanceof Error ? error.message : String(error)),
    ),
    E.map(() => config),
  )
}
