/** The task of a classifier with its data. */
import type { BuiltClassifier, ClassifierConfig } from '../../../models/classifierRegistry.ts'
import { product, range } from '../../../prelude/array.ts'
import { linear } from '../../../nn/index.ts'
import { E, pipe, TE } from '../../../prelude/fp.ts'
import type { Device } from '../../../tensor/device.ts'
import { changedPictures } from '../../pictures/changedPictures.ts'
import { openPictures, type OpenedPictures } from '../../pictures/openPictures.node.ts'
import type { Told } from '../../pictures/told.ts'
import { trainError, type TrainError } from '../../trainError.ts'
import { convolutionRate } from '../convolutionRate.ts'
import { requireBytes } from '../fitting.node.ts'
import { layerRate } from '../layerRate.ts'
import type { Variables } from '../../task.ts'
import type { AnySubject, Subject } from '../subject.ts'
import { networkOf, type ClassificationRunConfig } from './classificationConfig.ts'
import { classificationSource } from './classificationSource.ts'
import { classificationTask, type ClassifierDraws } from './classificationTask.ts'
import type { Labelled } from './labelled.ts'

/** Held-out pictures that are measured on, at most. */
const measured = 256

/** Left where pictures of a folder have no class, for they would be taken for what they are not. */
const requireClasses = (
  { folder, several }: ClassificationRunConfig,
  { set, options: { labels } }: OpenedPictures,
): E.Either<TrainError, void> => {
  if (several || labels === undefined) return E.right(undefined)
  const stray = range(set.count).filter((i) => labels.of(i).every((x) => x === 0)).length
  return stray === 0
    ? E.right(undefined)
    : E.left(
        trainError(
          'DATA',
          `${stray === 1 ? 'one picture' : `${stray} pictures`} of ${folder ?? set.name} ${stray === 1 ? 'lies' : 'lie'} beside the subfolders, without a class: move each into the subfolder of its class, or out of the folder`,
        ),
      )
}

/** Pictures, each with a class. */
const openClassed = (config: ClassificationRunConfig, tell: Told): TE.TaskEither<TrainError, OpenedPictures> =>
  pipe(
    openPictures(config, tell),
    TE.chainFirstEitherK((opened) => requireClasses(config, opened)),
    TE.map(({ summary, ...opened }) => ({ ...opened, summary: `${summary} · ${config.labels.length} classes` })),
  )

/** Channels of a residual network's first stage. */
const widthOf = (model: ClassifierConfig): number => (model.kind === 'resnet' ? (model.width ?? 64) : 1)

/** Width of the layers by which a device is measured, where they are no convolutions. */
const measuredWidth = 256

const rateOn = (device: Device, { batch, height, width, model, precision = 'f32' }: ClassificationRunConfig) =>
  model.kind === 'resnet'
    ? convolutionRate(device, { batch, height, width, channels: widthOf(model), precision })
    : layerRate(device, linear(measuredWidth, measuredWidth), [8 * batch, measuredWidth], precision)

const subjectOf = <P>(
  config: ClassificationRunConfig,
  built: BuiltClassifier<P>,
): Subject<Variables<P>, Labelled, ClassifierDraws> => {
  const { height, width, channels = 3, batch, labels: names, several, flip, model } = config
  const { network, title } = built
  return {
    task: classificationTask({ network, title, picture: [height, width, channels], names, several, mirror: flip }),
    with: ({ steps, folder, device }) => subjectOf({ ...config, steps, folder, device }, built),
    open: (_, tell) =>
      pipe(
        openClassed(config, tell),
        TE.map(({ data, fingerprint, summary, warnings }) =>
          classificationSource({
            data,
            network,
            names,
            several,
            measured,
            fingerprint,
            summary,
            warnings,
            changes: (then, before) => changedPictures(then, fingerprint, config.folder, before),
          }),
        ),
      ),
    survey: (tell) => openClassed(config, tell),
    requireLeast: (device) => requireBytes(device, 4 * batch * product([height, width, channels + widthOf(model)])),
    measureRate: (device) => rateOn(device, config),
  }
}

/** What a configuration trains: a classifier of some family. */
export const classificationSubject =
  (config: ClassificationRunConfig): AnySubject =>
  (use) =>
    networkOf(config)((built) => use(subjectOf(config, built)))
