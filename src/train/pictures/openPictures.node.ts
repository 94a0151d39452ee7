/** The pictures that a configuration names: a folder of photographs, or procedural seas. */
import {
  dataOfSeas,
  dataOfSet,
  folderLabels,
  openImageFolder,
  seaLabels,
  seas,
  summariseSkipped,
  withAugmentation,
  withMargin,
  type FolderImageSet,
  type ImageSet,
  type Labels,
  type SetOptions,
  type TrainingData,
} from '../../data/index.ts'
import { at } from '../../prelude/array.ts'
import { E, pipe, TE } from '../../prelude/fp.ts'
import { trainError, trainErrorOf, type TrainError } from '../trainError.ts'
import { byContents } from './changedPictures.ts'
import { groupsOf } from './groups.node.ts'
import type { Told } from './told.ts'

/** What of a configuration names pictures. */
export interface PictureConfig {
  /** The folder of the photographs; null for procedural seas. */
  readonly folder: string | null
  readonly seed: number
  readonly height: number
  readonly width: number
  readonly channels?: 1 | 3 | 4
  readonly split?: 'groups'
  readonly margin?: number
  readonly augment?: number
  readonly labels?: readonly string[]
}

/** Pictures, and what a person should know of them. */
export interface OpenedPictures {
  readonly data: TrainingData
  /** The same, none of them changed: each is a photograph, or a part of it. */
  readonly originals: TrainingData
  /** The same by number, none held out: of procedural seas, which have no end, the first {@link countedSeas}. */
  readonly set: ImageSet
  /** How the set is split, and what is known of its pictures. */
  readonly options: Omit<SetOptions, 'crop'>
  /** A text that changes when the pictures do. */
  readonly fingerprint: string
  readonly summary: string
  readonly warnings: readonly string[]
}

/** Procedural seas, where they are counted. */
const countedSeas = 4096

const grouped = (n: number): string => n.toLocaleString('en-US')

const quoted = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ')

/** The labels of these names. Left where the data have others: the network is told by their places. */
const labelsOf = (
  found: Labels,
  names: readonly string[] | undefined,
  where: string,
): E.Either<TrainError, Labels | undefined> => {
  if (names === undefined) return E.right(undefined)
  const places = names.map((name) => found.names.indexOf(name))
  const missing = names.filter((_, i) => at(places, i) < 0)
  if (missing.length > 0)
    return E.left(
      trainError(
        'DATA',
        `${where} has no label ${quoted(missing)}, of which the network is to be told; ${found.names.length === 0 ? 'there are no labels: put the photographs of each into a subfolder of its name' : `there are ${quoted(found.names)}`}`,
      ),
    )
  const of = (index: number): Float32Array => {
    const all = found.of(index)
    return Float32Array.from(places, (place) => all[place] ?? 0)
  }
  return E.right({ names, of })
}

/** The labels of a folder, which must be exactly those of the configuration. */
const folderLabelsOf = (
  set: FolderImageSet,
  names: readonly string[] | undefined,
): E.Either<TrainError, Labels | undefined> => {
  const found = folderLabels(set.names)
  const others = names === undefined ? [] : found.names.filter((name) => !names.includes(name))
  return others.length > 0
    ? E.left(
        trainError(
          'DATA',
          `${set.name} has subfolders ${quoted(found.names)}, and the run is told of ${quoted(names ?? [])}: move ${quoted(others)} out of it, or begin another run`,
        ),
      )
    : labelsOf(found, names, set.name)
}

/** A stream whose pictures are changed, where the configuration wants that. */
const changed = (data: TrainingData, { augment, seed }: PictureConfig): TrainingData =>
  augment === undefined ? data : withAugmentation(data, seed, { probability: augment })

const openSeas = (config: PictureConfig): E.Either<TrainError, OpenedPictures> => {
  const { seed, height, width } = config
  const endless = seas({ seed, height, width })
  return pipe(
    labelsOf(seaLabels(endless), config.labels, 'procedural seas'),
    E.map((labels) => {
      const data = dataOfSeas({ seed, height, width }, { labels: labels ?? false })
      return {
        data: changed(data, config),
        originals: data,
        set: { name: data.name, height, width, channels: 3, count: countedSeas, pixels: endless.image },
        options: labels === undefined ? {} : { labels },
        fingerprint: 'seas',
        summary: `procedural seas, endless · ${data.heldOutCount} held out`,
        warnings: [],
      }
    }),
  )
}

/** What is to be expected of a number of pictures. */
const fewInWords = (count: number): readonly string[] => {
  const more = 'some hundreds are a start, ten thousand are good'
  if (count < 50)
    return [
      `${count === 1 ? 'one picture is' : `${count} pictures are`} too few: what the model draws will be copies, or poor; ${more}`,
    ]
  return count < 100 ? [`${count} pictures are few: the model will learn them by heart; ${more}`] : []
}

/** Whether nothing can be held out: there is one picture, or all are of one group. */
const isOneGroup = (groups: readonly number[] | undefined, count: number): boolean =>
  count === 1 || (groups?.every((group) => group === groups[0]) ?? false)

const openFolder = (folder: string, config: PictureConfig, tell: Told): TE.TaskEither<TrainError, OpenedPictures> => {
  const { seed, height, width, channels = 3, margin, split } = config
  const size = { height, width }
  return pipe(
    openImageFolder(folder, { ...(margin === undefined ? size : withMargin(size, margin)), channels }),
    TE.mapLeft(trainErrorOf('DATA')),
    TE.bindTo('set'),
    TE.bind('labels', ({ set }) => TE.fromEither(folderLabelsOf(set, config.labels))),
    TE.bind('duplicates', ({ set }) => TE.fromTask(async () => (split === 'groups' ? groupsOf(set, tell) : undefined))),
    TE.map(({ set, labels, duplicates }) => {
      const options = {
        ...(duplicates !== undefined && { groups: duplicates.groups }),
        ...(labels !== undefined && { labels }),
      }
      const data = dataOfSet(set, seed, { ...options, ...(margin !== undefined && { crop: size }) })
      const { skipped } = set.report
      const lost = skipped.length === 0 ? '' : ` · ${grouped(skipped.length)} skipped (${summariseSkipped(skipped)})`
      const alike =
        duplicates === undefined || duplicates.summary === ''
          ? []
          : [`${duplicates.summary}: each group is held out, or trained on, as a whole`]
      const unheld = isOneGroup(duplicates?.groups, set.count)
        ? ['all pictures show the same, so those held out are trained on too: the loss on them says nothing of others']
        : []
      return {
        data: changed(data, config),
        originals: data,
        set,
        options,
        fingerprint: `${set.count} pictures, ${byContents}${set.fingerprint.slice(0, 16)}`,
        summary: `${grouped(set.count)} usable${lost} · ${grouped(data.heldOutCount)} held out`,
        warnings: [...set.report.warnings, ...fewInWords(set.count), ...(unheld.length > 0 ? unheld : alike)],
      }
    }),
  )
}

/** Opens the pictures of a configuration; of a folder, everything that can be used. @param tell how far they are compared, where they are */
export const openPictures = (
  config: PictureConfig,
  tell: Told = () => undefined,
): TE.TaskEither<TrainError, OpenedPictures> =>
  config.folder === null ? TE.fromEither(openSeas(config)) : openFolder(config.folder, config, tell)
