/** Sets of pictures as the scores see them: points of feature spaces, and what pictures tell of their scenes. */
import { at } from '../prelude/array.ts'
import type { HostKey } from '../prelude/threefry.ts'
import type { Device } from '../tensor/device.ts'
import type { FeatureSpace } from './features/space.ts'
import { whitening, type SpacePoints } from './features/whitening.ts'
import { shuffle } from './permutations.ts'
import { pick, type Pictures } from './pictures.ts'
import { pickRows, type Rows } from './rows.ts'
import { estimatesOf } from './scores/sceneFactors.ts'
import type { Seen } from './scores/scoreSet.ts'

/** What becomes of the points of a space before they are compared. */
type Maps = ReadonlyMap<string, (points: Rows) => SpacePoints>

/** Raw points of pictures, by the name of the space. */
const pointsIn = async (
  device: Device,
  spaces: readonly FeatureSpace[],
  pictures: Pictures,
): Promise<ReadonlyMap<string, Rows>> => {
  const points = new Map<string, Rows>()
  for (const { name, features } of spaces) points.set(name, await features(device, pictures))
  return points
}

const mapped = (points: ReadonlyMap<string, Rows>, maps: Maps): Seen['points'] =>
  new Map(
    [...points].flatMap(([name, rows]) => {
      const map = maps.get(name)
      return map === undefined ? [] : [[name, map(rows)] as const]
    }),
  )

/** The part of a set that is already seen. */
export const part = ({ pictures, points, estimates }: Seen, places: readonly number[]): Seen => ({
  pictures: pick(pictures, places),
  points: new Map(
    [...points].map(([name, { standard, white }]) => [
      name,
      { standard: pickRows(standard, places), white: pickRows(white, places) },
    ]),
  ),
  estimates: estimates.length === 0 ? [] : places.map((i) => at(estimates, i)),
})

/** Real pictures to compare with. */
export interface Ground {
  readonly training: Seen
  /** Those that others are compared with. */
  readonly real: Seen
  /** As many others, which show what a comparison of real with real gives. */
  readonly other: Seen
  /** Sees pictures as these are seen. */
  readonly eyes: (pictures: Pictures) => Promise<Seen>
}

/**
 * Training pictures in three parts: real ones to compare with, others to compare those with, and the rest, by which features are whitened.
 *
 * @param most pictures of each of the first two parts; there are fewer where training has not three times as many
 * @param key of the order in which they are parted
 */
export const groundOf = async (
  device: Device,
  training: Pictures,
  most: number,
  spaces: readonly FeatureSpace[],
  key: HostKey,
): Promise<Ground> => {
  const raw = await pointsIn(device, spaces, training)
  const all = training.pictures.length
  const count = Math.min(most, Math.floor(all / 3))
  const order = shuffle(key, all)
  const maps: Maps = new Map([...raw].map(([name, rows]) => [name, whitening(pickRows(rows, order.slice(2 * count)))]))
  const seen: Seen = { pictures: training, points: mapped(raw, maps), estimates: estimatesOf(training) }
  return {
    training: seen,
    real: part(seen, order.slice(0, count)),
    other: part(seen, order.slice(count, 2 * count)),
    eyes: async (pictures) => ({
      pictures,
      points: mapped(await pointsIn(device, spaces, pictures), maps),
      estimates: estimatesOf(pictures),
    }),
  }
}
