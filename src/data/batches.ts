/**
 * Where training draws its pictures from: an endless stream whose i-th picture is a function of the seed, and pictures that are held
 * out. A run resumes at any step from an integer, without replaying what came before.
 */
import { at, range } from '../prelude/array.ts'
import { hostFold, hostKey, hostPermutationIndex, type HostKey } from '../prelude/threefry.ts'
import type { ImageSet } from './imageSet.ts'
import { seas, type SeasConfig } from './seas/index.ts'

/** Pictures of one size as training sees them, each `[height, width, channels]` bytes. */
export interface TrainingData {
  readonly name: string
  readonly height: number
  readonly width: number
  readonly channels: number
  /** How many different pictures training draws from; Infinity where they are made as they are asked for. */
  readonly count: number
  /** The i-th picture of the endless stream, i ≥ 0. */
  readonly picture: (i: number) => Uint8Array
  /** How many pictures are held out: training never draws them. */
  readonly heldOutCount: number
  /** The i-th of those held out, 0 ≤ i < heldOutCount. */
  readonly heldOut: (i: number) => Uint8Array
}

/** The streams of a data seed: the n of `hostFold(key, n)`. */
const stream = { split: 0, order: 1 } as const

/**
 * How many of `count` pictures are held out: a tenth, 64 at most; none of a single picture, which is then trained on and measured.
 *
 * @example
 * ```ts
 * import { heldOutShare } from 'fathom/data'
 *
 * heldOutShare(1) // => 0
 * heldOutShare(200) // => 20
 * heldOutShare(10_000) // => 64
 * ```
 */
export const heldOutShare = (count: number): number => Math.min(64, count < 2 ? 0 : Math.max(1, Math.floor(count / 10)))

/** What may be told to {@link dataOfSet}. */
export interface SplitOptions {
  /**
   * The group of each picture of the set: what is in one group is held out, or trained on, together. See `nearDuplicates`. Absent: each
   * picture is alone.
   */
  readonly groups?: readonly number[]
}

/** The pictures of a set, by index, in the order in which a split takes them, and how many of them are held out. */
interface Split {
  readonly held: number
  readonly at: (place: number) => number
}

/** A split of pictures, each alone: the first places of a permutation that is never written down. */
const splitAlone = (key: HostKey, count: number): Split => ({
  held: heldOutShare(count),
  at: (place) => hostPermutationIndex(key, count, place),
})

/**
 * A split of groups, in the order of a permutation of them: each is held out that does not make the held out more than their share. Where
 * all are larger, the smallest is, unless it is the only one. Of groups of one picture it is {@link splitAlone}.
 */
const splitGroups = (key: HostKey, groups: readonly number[]): Split => {
  const members = new Map<number, number[]>()
  groups.forEach((group, i) => {
    const so = members.get(group)
    if (so === undefined) members.set(group, [i])
    else so.push(i)
  })
  const all = [...members.values()]
  const order = range(all.length).map((place) => at(all, hostPermutationIndex(key, all.length, place)))
  const share = heldOutShare(groups.length)
  const held: (readonly number[])[] = []
  let count = 0
  for (const group of order) {
    if (all.length === 1 || count + group.length > share) continue
    held.push(group)
    count += group.length
  }
  const [smallest] = order.toSorted((a, b) => a.length - b.length)
  if (count === 0 && all.length > 1 && smallest !== undefined) {
    held.push(smallest)
    count = smallest.length
  }
  const places = [...held, ...order.filter((group) => !held.includes(group))].flat()
  return { held: count, at: (place) => at(places, place) }
}

/** The i-th picture's place in an endless sequence of epochs, each a permutation of its own. */
const shuffled = (key: HostKey, count: number, i: number): number =>
  hostPermutationIndex(hostFold(key, Math.floor(i / count)), count, i % count)

/**
 * A set as training data: a tenth of it (64 at most) is held out, the rest comes in a fresh order each epoch. With groups no picture is
 * held out of which another of its group is trained on.
 *
 * @param seed chooses what is held out, and the order; a safe integer ≥ 0
 * @throws RangeError for a set without pictures, and where the groups are not those of its pictures
 * @example
 * ```ts
 * import { batchAt, dataOfSet } from 'fathom/data'
 *
 * const pixels = (i: number) => Uint8Array.of(i)
 * const data = dataOfSet({ name: 'dots', height: 1, width: 1, channels: 1, count: 10, pixels }, 0)
 * const epoch = batchAt(data, 0, 9) // each picture once, but the one that is held out
 * const all = [...epoch, ...data.heldOut(0)]
 * all.toSorted((a, b) => a - b) // => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
 * const set = { name: 'dots', height: 1, width: 1, channels: 1, count: 4, pixels }
 * const pairs = dataOfSet(set, 0, { groups: [0, 0, 2, 2] })
 * const [first, second] = [pairs.heldOut(0)[0], pairs.heldOut(1)[0]]
 * String([first, second]) // => '0,1'
 * ```
 */
export const dataOfSet = (set: ImageSet, seed: number, { groups }: SplitOptions = {}): TrainingData => {
  if (set.count < 1) throw new RangeError(`dataOfSet: ${set.name} has no pictures`)
  if (groups !== undefined && groups.length !== set.count)
    throw new RangeError(
      `dataOfSet: there are ${groups.length} groups for ${set.count} pictures: give the group of each`,
    )
  const key = hostKey(seed)
  const order = hostFold(key, stream.order)
  const splitKey = hostFold(key, stream.split)
  const split = groups === undefined ? splitAlone(splitKey, set.count) : splitGroups(splitKey, groups)
  const count = set.count - split.held
  const member = (place: number): Uint8Array => set.pixels(split.at(place))
  return {
    name: set.name,
    height: set.height,
    width: set.width,
    channels: set.channels,
    count,
    picture: (i) => member(split.held + shuffled(order, count, i)),
    heldOutCount: Math.max(1, split.held),
    heldOut: member,
  }
}

/** Seas from this index on are held out; no run draws so many. */
const firstHeldOutSea = 2 ** 40

/** How many seas are held out. */
const heldOutSeas = 64

/**
 * Procedural seas as training data: endless, each drawn once, and 64 of them held out.
 *
 * @example
 * ```ts
 * import { dataOfSeas } from 'fathom/data'
 *
 * const data = dataOfSeas({ seed: 1, size: 8 })
 * data.count // => Infinity
 * data.heldOutCount // => 64
 * data.picture(1_000_000).length // => 192
 * ```
 */
export const dataOfSeas = (config: SeasConfig): TrainingData => {
  const data = seas(config)
  return {
    name: 'procedural seas',
    height: data.height,
    width: data.width,
    channels: 3,
    count: Infinity,
    picture: data.image,
    heldOutCount: heldOutSeas,
    heldOut: (i) => data.image(firstHeldOutSea + i),
  }
}

/**
 * Pictures one after the other in one array.
 *
 * @returns u8 of `[pictures.length, height, width, channels]`
 * @example
 * ```ts
 * import { collate } from 'fathom/data'
 *
 * collate([Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5, 6)]) // => [1, 2, 3, 4, 5, 6]
 * ```
 */
export const collate = (pictures: readonly Uint8Array[]): Uint8Array => {
  const each = pictures[0]?.length ?? 0
  const all = new Uint8Array(pictures.length * each)
  pictures.forEach((picture, i) => {
    all.set(picture, i * each)
  })
  return all
}

/**
 * The pictures `start` … `start + size − 1` of the stream: u8 of `[size, height, width, channels]`.
 *
 * @example
 * ```ts
 * import { batchAt, dataOfSeas } from 'fathom/data'
 *
 * const data = dataOfSeas({ seed: 1, size: 8 })
 * const batch = batchAt(data, 600, 4)
 * batch.length / 4 // => 192
 * const first = data.picture(600)
 * batch.subarray(0, 192).every((byte, i) => byte === first[i]) // => true
 * ```
 */
export const batchAt = (data: TrainingData, start: number, size: number): Uint8Array =>
  collate(range(size).map((i) => data.picture(start + i)))

/**
 * The mean of the first `most` pictures of the stream (all of a smaller set), of each pixel, in [−1, 1]: `[height, width, channels]`.
 *
 * @example
 * ```ts
 * import { dataOfSet, meanPicture } from 'fathom/data'
 *
 * const set = { name: 'grey', height: 1, width: 2, channels: 1, count: 1, pixels: () => Uint8Array.of(0, 255) }
 * meanPicture(dataOfSet(set, 0)) // => [-1, 1]
 * ```
 */
export const meanPicture = (data: TrainingData, most = 256): Float32Array => {
  const count = Math.min(most, data.count)
  const sums = new Float64Array(data.height * data.width * data.channels)
  for (let i = 0; i < count; i++)
    data.picture(i).forEach((byte, p) => {
      sums[p] = (sums[p] ?? 0) + byte
    })
  return Float32Array.from(sums, (sum) => sum / count / 127.5 - 1)
}
