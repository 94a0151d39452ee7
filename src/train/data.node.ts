/** The pictures that a configuration names: a folder of photographs, or procedural seas. */
import { createHash } from 'node:crypto'
import { dataOfSeas, dataOfSet, openImageFolder, summariseSkipped, type TrainingData } from '../data/index.ts'
import { pipe, TE } from '../prelude/fp.ts'
import type { TrainConfig } from './trainConfig.ts'
import { trainErrorOf, type TrainError } from './trainError.ts'

/** Pictures, and what a person should know of them. */
export interface OpenedData {
  readonly data: TrainingData
  /** A text that changes when the pictures do; a checkpoint holds it. */
  readonly fingerprint: string
  /** `1,284 usable · 9 skipped (6 HEIC, 2 truncated, 1 too small) · 64 held out` */
  readonly summary: string
  readonly warnings: readonly string[]
}

const grouped = (n: number): string => n.toLocaleString('en-US')

/** Opens the pictures of a configuration; of a folder, everything that can be used. */
export const openData = (config: TrainConfig): TE.TaskEither<TrainError, OpenedData> => {
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
    openImageFolder(folder, { height, width, channels: 3 }),
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
        fingerprint: `${set.count} pictures, ${createHash('sha256').update(JSON.stringify(set.names)).digest('hex').slice(0, 16)}`,
        summary: `${grouped(set.count)} usable${lost} · ${grouped(data.heldOutCount)} held out`,
        warnings: [...set.report.warnings, ...few],
      }
    }),
  )
}
