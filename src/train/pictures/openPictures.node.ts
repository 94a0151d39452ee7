/** The pictures that a configuration names: a folder of photographs, or procedural seas. */
import {
  dataOfSeas,
  dataOfSet,
  openImageFolder,
  seas,
  summariseSkipped,
  type ImageSet,
  type TrainingData,
} from '../../data/index.ts'
import { pipe, TE } from '../../prelude/fp.ts'
import { trainErrorOf, type TrainError } from '../trainError.ts'
import { byContents } from './changedPictures.ts'

/** What of a configuration names pictures. */
export interface PictureConfig {
  /** The folder of the photographs; null for procedural seas. */
  readonly folder: string | null
  readonly seed: number
  readonly height: number
  readonly width: number
  readonly channels?: 1 | 3 | 4
}

/** Pictures, and what a person should know of them. */
export interface OpenedPictures {
  readonly data: TrainingData
  /** The same by number, none held out: of procedural seas, which have no end, the first {@link countedSeas}. */
  readonly set: ImageSet
  /** A text that changes when the pictures do. */
  readonly fingerprint: string
  readonly summary: string
  readonly warnings: readonly string[]
}

/** Procedural seas, where they are counted. */
export const countedSeas = 4096

const grouped = (n: number): string => n.toLocaleString('en-US')

/** Opens the pictures of a configuration; of a folder, everything that can be used. */
export const openPictures = ({
  folder,
  seed,
  height,
  width,
  channels = 3,
}: PictureConfig): TE.TaskEither<TrainError, OpenedPictures> => {
  if (folder === null) {
    const endless = seas({ seed, height, width })
    const data = dataOfSeas({ seed, height, width })
    return TE.right({
      data,
      set: { name: data.name, height, width, channels: 3, count: countedSeas, pixels: endless.image },
      fingerprint: 'seas',
      summary: `procedural seas, endless · ${data.heldOutCount} held out`,
      warnings: [],
    })
  }
  return pipe(
    openImageFolder(folder, { height, width, channels }),
    TE.mapLeft(trainErrorOf('DATA')),
    TE.map((set) => {
      const data = dataOfSet(set, seed)
      const { skipped } = set.report
      const lost = skipped.length === 0 ? '' : ` · ${grouped(skipped.length)} skipped (${summariseSkipped(skipped)})`
      const few =
        set.count < 100
          ? [
              `${grouped(set.count)} pictures are few: the model will learn them by heart; some hundreds are a start, ten thousand are good`,
            ]
          : []
      return {
        data,
        set,
        fingerprint: `${set.count} pictures, ${byContents}${set.fingerprint.slice(0, 16)}`,
        summary: `${grouped(set.count)} usable${lost} · ${grouped(data.heldOutCount)} held out`,
        warnings: [...set.report.warnings, ...few],
      }
    }),
  )
}
