/** The pictures that a configuration names: a folder of photographs, or procedural seas. */
import { dataOfSeas, dataOfSet, openImageFolder, summariseSkipped, type TrainingData } from '../data/index.ts'
import { pipe, TE } from '../prelude/fp.ts'
import { channelsOf, type TrainConfig } from './trainConfig.ts'
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

/** Marks a fingerprint of contents; checkpoints of before have one of names. */
const byContents = 'contents '

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

/**
 * What a person should know of the pictures of a run that goes on: whether they are those that it was trained on.
 *
 * @param then the fingerprint in the checkpoint
 * @param before the folder in which they lay
 */
export const changedData = (
  then: string,
  { fingerprint: now }: OpenedData,
  folder: string | null,
  before: string | null,
): readonly string[] => {
  const words = folder === null ? 'procedural seas' : `the pictures in ${folder}`
  if (then === now)
    return folder === before ? [] : [`${words} are those of the run, by their contents: it goes on with the same bits`]
  if (folder !== null && !then.includes(byContents) && then !== 'seas')
    return [
      `the checkpoint knows ${words} by their names alone, as it was saved by an earlier version: whether their contents have changed cannot be told`,
    ]
  return [
    `${words} have changed (${then} then, ${now} now): the run goes on with those there are, but not as it would have`,
  ]
}
