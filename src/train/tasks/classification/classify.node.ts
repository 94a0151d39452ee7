/** What pictures show, by a classifier that a run has trained. */
import { collate, loadImage } from '../../../data/index.ts'
import { applyWithState, type Module } from '../../../nn/index.ts'
import { at, range } from '../../../prelude/array.ts'
import { E, pipe, TE } from '../../../prelude/fp.ts'
import { requireKnown } from '../../../prelude/options.ts'
import { tensor } from '../../../tensor/create.ts'
import type { Device } from '../../../tensor/device.ts'
import { softmax } from '../../../tensor/softmax.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { readConfig } from '../../configFile.ts'
import { orDeviceError } from '../../deviceErrors.ts'
import { ensuring } from '../../ensuring.ts'
import { decodeWhich, learnedIn } from '../../learned.node.ts'
import { openDevice, type DeviceChoice } from '../../openDevice.ts'
import { normalise } from '../../pictures/pixels.ts'
import { storeIn } from '../../store.node.ts'
import type { Variables } from '../../task.ts'
import { trainError, type TrainError } from '../../trainError.ts'
import type { TrainConfig } from '../registry.ts'
import { networkOf, type ClassificationRunConfig } from './classificationConfig.ts'
import { beginClassifier } from './classificationTask.ts'

/** What is said of a picture: the probability of each class, by its name; or why the picture cannot be read. */
export type Answer =
  | { readonly picture: string; readonly probabilities: Readonly<Record<string, number>> }
  | { readonly picture: string; readonly fault: string }

/** What is said of pictures. */
export interface Answers {
  /** In the order of the pictures. */
  readonly answers: readonly Answer[]
  /** Whether a picture may show several classes, whose probabilities are then each by itself. */
  readonly several: boolean
  /** Sentences for the user. */
  readonly warnings: readonly string[]
}

/** How pictures are classified. */
export interface ClassifyOptions {
  /** Which averaged weights, a name of `whichWeights`; default `last`. */
  readonly weights?: string
  /** Default that of the run. */
  readonly device?: string
  readonly deviceOptions?: DeviceChoice
}

/** Pictures that go through the network together. */
const together = 16

const requireClassifier = (directory: string, config: TrainConfig): E.Either<TrainError, ClassificationRunConfig> =>
  config.task === 'classification'
    ? E.right(config)
    : E.left(
        trainError(
          'RUN-NONE',
          `${directory} is no run of a classifier: name one that \`fathom train-classifier\` made`,
        ),
      )

/** A picture that was read, or why it was not. */
type Read = E.Either<Answer, { readonly picture: string; readonly pixels: Uint8Array }>

const readAll = async (
  pictures: readonly string[],
  { height, width, channels = 3 }: ClassificationRunConfig,
): Promise<readonly Read[]> => {
  const found: Read[] = []
  for (const picture of pictures)
    found.push(
      pipe(
        await loadImage(picture, { height, width, channels })(),
        E.bimap(
          ({ message }) => ({ picture, fault: message }),
          ({ pixels }) => ({ picture, pixels }),
        ),
      ),
    )
  return found
}

/** The probabilities of each picture, on a device. */
const probabilitiesOf = async <P>(
  device: Device,
  { height, width, channels = 3, labels, several }: ClassificationRunConfig,
  network: Module<P>,
  variables: Variables<P>,
  pictures: readonly Uint8Array[],
): Promise<readonly (readonly number[])[]> => {
  const say = device.compile(({ params, modelState }: Variables<P>, bytes: Tensor) => {
    const [logits] = applyWithState(network, params, modelState, normalise(bytes))
    return several ? logits.sigmoid() : softmax(logits)
  })
  const found: (readonly number[])[] = []
  for (const first of range(Math.ceil(pictures.length / together)).map((i) => i * together)) {
    const some = pictures.slice(first, first + together)
    const bytes = tensor(collate(some), { shape: [some.length, height, width, channels] })
    const all = [...(await device.read(await say(variables, bytes)))]
    found.push(...some.map((_, i) => all.slice(i * labels.length, (i + 1) * labels.length)))
  }
  return found
}

const answered = async <P>(
  device: Device,
  config: ClassificationRunConfig,
  network: Module<P>,
  variables: Variables<P>,
  pictures: readonly string[],
): Promise<readonly Answer[]> => {
  const read = await readAll(pictures, config)
  const pixels = read.flatMap((one) => (E.isRight(one) ? [one.right.pixels] : []))
  const found = await probabilitiesOf(device, config, network, variables, pixels)
  let next = 0
  return read.map((one) => {
    if (E.isLeft(one)) return one.left
    const shares = at(found, next++)
    return {
      picture: one.right.picture,
      probabilities: Object.fromEntries(config.labels.map((name, i) => [name, at(shares, i)])),
    }
  })
}

/** The answers of a run of this configuration. */
const answersOf = (
  directory: string,
  config: ClassificationRunConfig,
  pictures: readonly string[],
  { weights = 'last', device: wanted = config.device, deviceOptions }: ClassifyOptions,
): TE.TaskEither<TrainError, Answers> =>
  networkOf(config)(<P>({ network }: { readonly network: Module<P> }) =>
    pipe(
      TE.fromEither(decodeWhich(weights)),
      TE.chain((which) => learnedIn(directory, config, { init: beginClassifier(network) }, which)),
      TE.filterOrElse(
        ({ step }) => step > 0,
        () =>
          trainError('CKPT', `${directory} has learned nothing yet: train it on with \`fathom resume ${directory}\``),
      ),
      TE.bindTo('learned'),
      TE.bind('device', () => openDevice(wanted, deviceOptions)),
      TE.chain(({ learned: { average, warnings }, device }) =>
        pipe(
          TE.fromTask<readonly Answer[], TrainError>(() => answered(device, config, network, average, pictures)),
          TE.map((answers) => ({ answers, several: config.several, warnings })),
          orDeviceError(device.name),
          ensuring(() => device.close()),
        ),
      ),
    ),
  )

/**
 * Says what pictures show, by the averaged weights of a run of `fathom train-classifier`. A picture that cannot be read is an answer too, which says why.
 *
 * @param directory of the run
 * @param pictures their paths
 * @returns Left for a run that is no classifier, or has learned nothing yet
 * @example
 * ```ts
 * import { seas } from 'fathom/data'
 * import { encodePng, replaceFile } from 'fathom/io'
 * import { classifierConfigOf, classify, train } from 'fathom/train'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 *
 * const pixels = seas({ seed: 1, size: 8 }).image(0)
 * await replaceFile('sea.png', encodePng({ width: 8, height: 8, channels: 3, pixels }))()
 * const tiny = { height: 8, width: 8, model: { kind: 'mlp', hidden: [4] }, batch: 2, steps: 2 }
 * const answers = pipe(
 *   TE.fromEither(classifierConfigOf({ ...tiny, out: 'run', labels: ['boat', 'fog'] })),
 *   TE.chain((config) => train(config)),
 *   TE.chain(({ directory }) => classify(directory, ['sea.png', 'gone.png'])),
 *   TE.map((found) => found.answers.map((answer) => Object.keys(answer))),
 * )
 * await answers() // => right([['picture', 'probabilities'], ['picture', 'fault']])
 * ```
 */
export const classify = (
  directory: string,
  pictures: readonly string[],
  options: ClassifyOptions = {},
): TE.TaskEither<TrainError, Answers> => {
  requireKnown('classify', options, ['weights', 'device', 'deviceOptions'])
  return pipe(
    readConfig(storeIn(directory)),
    TE.chainEitherK((config) => requireClassifier(directory, config)),
    TE.chain((config) => answersOf(directory, config, pictures, options)),
  )
}
