/** The pictures that a configuration names: a folder of photographs, or procedural seas. */
import { dataOfSeas, dataOfSet, openImageFolder, summariseSkipped } from '../../../data/index.ts'
import { pipe, TE } from '../../../prelude/fp.ts'
import { trainErrorOf, type TrainError } from '../../trainError.ts'
import { channelsOf, type DiffusionRun } from './diffusionConfig.ts'
import { byContents, type OpenedPictures } from './source.ts'

const grouped = (n: number): string => n.toLocaleString('en-US')

/** Opens the pictures of a configuration; of a folder, everything that can be used. */
export const openData = (config: DiffusionRun): TE.TaskEither<TrainError, OpenedPictures> => {
  const { folder, seed, height, width } = config
  if (folder === null) {
    const data = dataOfSeas({ seed, height, width })
    return TE.right({
      data,
      fingerprint: 'seas',
      summary: `procedural seas, endless · ${data.heldOutCount} held out`,
      warnings: [],
    })
  }
  return pipe(
    openImageFolder(folder, { height, width, channels: channelsOf(config) }),
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
        fingerprint: `${set.count} pictures, ${byContents}${set.fingerprint.slice(0, 16)}`,
        summary: `${grouped(set.count)} usable${lost} · ${grouped(data.heldOutCount)} held out`,
        warnings: [...set.report.warnings, ...few],
      }
    }),
  )
}
