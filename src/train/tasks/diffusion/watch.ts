/** What a run watches of the pictures on its sheets: whether they are copies of photographs, and how far they are from real ones. */
import { watchOn, type Watched } from '../../../evaluation/watch.ts'
import type { Pictures } from '../../../evaluation/pictures.ts'
import { range } from '../../../prelude/array.ts'
import type { TrainingData } from '../../../data/batches.ts'
import type { Device } from '../../../tensor/device.ts'
import type { SheetWatch } from '../../task.ts'
import type { DiffusionRun } from './diffusionConfig.ts'

/** A watch over drawn pictures. */
export interface Watch {
  /** How many are drawn for it; the first of them stand on the sheet. */
  readonly count: number
  /** Prepares it: photographs are made searchable, and their features computed. */
  readonly on: (device: Device) => Promise<(pictures: readonly Uint8Array[]) => Promise<SheetWatch>>
}

/** Pictures that are watched, at least and at most. */
const [least, most] = [16, 64] as const

/** What of the time from sheet to sheet the pictures may take that are drawn for the watch alone. */
const share = 0.03

/** A step costs about three times what the network costs that draws: forwards once, backwards twice. */
const forwardsInStep = 3

/**
 * How many pictures are drawn: those of the sheet, 16 at least, and as many batches of them more as take less than 3 % of the time between two
 * sheets, to 64. It goes by counting the network's work, not by a clock, so that a run that is resumed draws the same.
 */
export const watchedCount = ({
  sampleCount,
  sampleSteps,
  sampleEvery,
  batch,
  accumulate,
}: Pick<DiffusionRun, 'sampleCount' | 'sampleSteps' | 'sampleEvery' | 'batch' | 'accumulate'>): number => {
  const affordable = (share * sampleEvery * batch * accumulate * forwardsInStep) / sampleSteps
  const size = Math.min(batch, sampleCount)
  const needed = Math.max(0, least - sampleCount)
  const room = Math.max(0, most - sampleCount)
  const more = Math.min(room, size * Math.floor(affordable / size))
  return sampleCount + Math.max(needed, more)
}

/** Photographs that copies are sought among, at most. */
const mostOriginals = 5000

const measuredOf = ({ copies, kernel }: Watched): SheetWatch => ({
  measured: {
    drawn: copies.generated.all,
    copies: copies.generated.found,
    ...(kernel !== undefined && { mmd: kernel.generated, mmdReal: kernel.real }),
  },
  copies,
})

/**
 * The watch of a run; undefined where its configuration wants none, where its pictures are procedural seas, which have no end, and where there
 * are fewer than two groups of them, among which nothing can be called a copy.
 *
 * @param pictures the photographs, not their latents, none changed at random
 */
export const watchOf = (config: DiffusionRun, pictures: TrainingData): Watch | undefined => {
  const { height, width, channels, count, group, heldOutGroup } = pictures
  if (config.watch !== 'on' || !Number.isFinite(count)) return undefined
  const places = range(Math.min(mostOriginals, count))
  if ((group === undefined ? count : new Set(places.map(group)).size) < 2) return undefined
  const setOf = (these: readonly number[], picture: (i: number) => Uint8Array, groupAt: typeof group): Pictures => ({
    height,
    width,
    channels,
    pictures: these.map(picture),
    ...(groupAt !== undefined && { groups: these.map(groupAt) }),
  })
  return {
    count: watchedCount(config),
    on: async (device) => {
      const training = setOf(places, pictures.picture, group)
      const heldOut = setOf(range(pictures.heldOutCount), pictures.heldOut, heldOutGroup)
      const watch = await watchOn(device, { training, heldOut, seed: config.seed })
      return async (drawn) => measuredOf(await watch({ height, width, channels, pictures: drawn }))
    },
  }
}
