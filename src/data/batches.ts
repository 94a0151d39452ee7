/**
 * Where training draws its pictures from: an endless stream whose i-th picture is a function of the seed, and pictures that are held
 * out. A run resumes at any step from an integer, without replaying what came before.
 */
import { requireKnown } from '../prelude/options.ts'
import { at, range } from '../prelude/array.ts'
import { hostFold, hostKey, hostPermutationIndex, type HostKey } from '../prelude/threefry.ts'
import { cropAt, wholeAt, requireCrop, type CropSize } from './crop.ts'
import type { ImageSet } from './imageSet.ts'
import type { Labels } from './labels.ts'
import { seaLabels, seas, type SeasConfig } from './seas/index.ts'
import { splitAlone, splitGroups } from './split.ts'

/**
 * Pictures of one size as training sees them, each `[height, width, channels]` bytes.
 *
 * @typeParam A what a picture is: its bytes, or numbers that stand for it
 */
export interface TrainingData<A = Uint8Array> {
  readonly name: string
  readonly height: number
  readonly width: number
  readonly channels: number
  /** How many different pictures training draws from; Infinity where they are made as they are asked for. */
  readonly count: number
  /** The i-th picture of the endless stream, i ≥ 0. */
  readonly picture: (i: number) => A
  /** How many pictures are held out: training never draws them. */
  readonly heldOutCount: number
  /** The i-th of those held out, 0 ≤ i < heldOutCount. */
  readonly heldOut: (i: number) => A
  /** The group of `picture(i)`: those of one group show the same photograph. Absent, as the next one, where nothing is known of groups. */
  readonly group?: (i: number) => number
  /** The group of `heldOut(i)`. */
  readonly heldOutGroup?: (i: number) => number
  /** What is known of a picture beside its pixels: what each number of its condition says. Absent: nothing is. */
  readonly conditionNames?: readonly string[]
  /** How many numbers a condition has. Absent, as the next two, where there is none. */
  readonly conditions?: number
  /** The condition of `picture(i)`: zeros where nothing is known of it or was done to it. */
  readonly condition?: (i: number) => Float32Array
  /** The condition of `heldOut(i)`. */
  readonly heldOutCondition?: (i: number) => Float32Array
}

/** The streams of a data seed: the n of `hostFold(key, n)`. */
const stream = { split: 0, order: 1, crop: 2 } as const

/** What may be told to {@link dataOfSet}. */
export interface SetOptions {
  /**
   * The group of each picture of the set: what is in one group is held out, or trained on, together. See `nearDuplicates`. Absent: each
   * picture is alone.
   */
  readonly groups?: readonly number[]
  /**
   * The size of a picture of the stream, where those of the set are larger: training sees a random part of each, at a random scale, another
   * one each time; what is held out is seen whole. Absent: pictures are as the set has them.
   */
  readonly crop?: CropSize
  /** What is known of the pictures of the set: the stream's conditions. Absent: nothing. */
  readonly labels?: Labels
}

/** The i-th picture's place in an endless sequence of epochs, each a permutation of its own. */
const shuffled = (key: HostKey, count: number, i: number): number =>
  hostPermutationIndex(hostFold(key, Math.floor(i / count)), count, i % count)

/** The conditions of a stream whose pictures are those of a set at these indices. */
const conditionsOf = (
  { names, of }: Labels,
  indexAt: (i: number) => number,
  heldOutAt: (i: number) => number,
): Pick<TrainingData, 'conditionNames' | 'conditions' | 'condition' | 'heldOutCondition'> => ({
  conditionNames: names,
  conditions: names.length,
  condition: (i) => of(indexAt(i)),
  heldOutCondition: (i) => of(heldOutAt(i)),
})

/** A set as a stream, with what is held out. */
const streamOf = <A>(
  who: string,
  set: ImageSet<A>,
  seed: number,
  { groups, labels }: Omit<SetOptions, 'crop'>,
): TrainingData<A> => {
  if (set.count < 1) throw new RangeError(`${who}: ${set.name} has no pictures`)
  if (groups !== undefined && groups.length !== set.count)
    throw new RangeError(`${who}: there are ${groups.length} groups for ${set.count} pictures: give the group of each`)
  const key = hostKey(seed)
  const [splitKey, order] = [hostFold(key, stream.split), hostFold(key, stream.order)]
  const split = groups === undefined ? splitAlone(splitKey, set.count) : splitGroups(splitKey, groups)
  const count = set.count - split.held
  const indexAt = (i: number): number => split.at(split.held + shuffled(order, count, i))
  return {
    name: set.name,
    height: set.height,
    width: set.width,
    channels: set.channels,
    count,
    picture: (i) => set.pixels(indexAt(i)),
    heldOutCount: Math.max(1, split.held),
    heldOut: (i) => set.pixels(split.at(i)),
    ...(groups !== undefined && {
      group: (i: number) => at(groups, indexAt(i)),
      heldOutGroup: (i: number) => at(groups, split.at(i)),
    }),
    ...(labels !== undefined && conditionsOf(labels, indexAt, split.at)),
  }
}

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
 * pairs.heldOutGroup?.(1) // => 0
 * pairs.group?.(0) // => 2
 * ```
 */
export const dataOfSet = (set: ImageSet, seed: number, given: SetOptions = {}): TrainingData => {
  requireKnown('dataOfSet', given, ['groups', 'crop', 'labels'])
  const { crop, ...options } = given
  if (crop === undefined) return streamOf('dataOfSet', set, seed, options)
  requireCrop('dataOfSet', set, crop)
  const key = hostFold(hostKey(seed), stream.crop)
  const whole = streamOf('dataOfSet', set, seed, options)
  return {
    ...whole,
    ...crop,
    picture: (i) => cropAt(whole.picture(i), set, crop, hostFold(key, i)),
    heldOut: (i) => wholeAt(whole.heldOut(i), set, crop),
  }
}

/**
 * The same of numbers that stand for pictures, as their latents: the same seed holds out the same pictures, in the same order.
 *
 * @example
 * ```ts
 * import { dataOfEncoded } from 'fathom/data'
 *
 * const set = { name: 'codes', height: 1, width: 1, channels: 1, count: 2, pixels: (i: number) => Float32Array.of(i / 2) }
 * const data = dataOfEncoded(set, 0)
 * data.picture(0)[0] === data.heldOut(0)[0] // => false
 * ```
 */
export const dataOfEncoded = <A>(
  set: ImageSet<A>,
  seed: number,
  options: Omit<SetOptions, 'crop'> = {},
): TrainingData<A> => {
  requireKnown('dataOfEncoded', options, ['groups', 'labels'])
  return streamOf('dataOfEncoded', set, seed, options)
}

/** Seas from this index on are held out; no run draws so many. */
const firstHeldOutSea = 2 ** 40

/** How many seas are held out. */
const heldOutSeas = 64

/**
 * Procedural seas as training data: endless, each drawn once, and 64 of them held out. With `labels` their conditions say what each sea
 * shows ({@link seaLabels}, or some of them).
 *
 * @example
 * ```ts
 * import { dataOfSeas } from 'fathom/data'
 *
 * const data = dataOfSeas({ seed: 1, size: 8 })
 * data.count // => Infinity
 * data.heldOutCount // => 64
 * data.picture(1_000_000).length // => 192
 * dataOfSeas({ seed: 1, size: 8 }, { labels: true }).condition?.(0).length // => 14
 * ```
 */
export const dataOfSeas = (config: SeasConfig, options: { readonly labels?: boolean | Labels } = {}): TrainingData => {
  requireKnown('dataOfSeas', options, ['labels'])
  const { labels = false } = options
  const data = seas(config)
  const heldOutAt = (i: number): number => firstHeldOutSea + i
  return {
    name: 'procedural seas',
    height: data.height,
    width: data.width,
    channels: 3,
    count: Infinity,
    picture: data.image,
    heldOutCount: heldOutSeas,
    heldOut: (i) => data.image(heldOutAt(i)),
    ...(labels !== false && conditionsOf(labels === true ? seaLabels(data) : labels, (i) => i, heldOutAt)),
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
export function collate(pictures: readonly Uint8Array[]): Uint8Array
/** Numbers in the place of pictures, one after the other: f32. */
export function collate(pictures: readonly Float32Array[]): Float32Array
/** Either. */
export function collate(pictures: readonly (Uint8Array | Float32Array)[]): Uint8Array | Float32Array
export function collate(pictures: readonly (Uint8Array | Float32Array)[]): Uint8Array | Float32Array {
  const [first] = pictures
  const each = first?.length ?? 0
  const all = new (first instanceof Float32Array ? Float32Array : Uint8Array)(pictures.length * each)
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
export function batchAt(data: TrainingData, start: number, size: number): Uint8Array
/** Numbers in the place of pictures: f32. */
export function batchAt(data: TrainingData<Float32Array>, start: number, size: number): Float32Array
/** Either. */
export function batchAt(
  data: TrainingData<Uint8Array | Float32Array>,
  start: number,
  size: number,
): Uint8Array | Float32Array
export function batchAt(
  data: TrainingData<Uint8Array | Float32Array>,
  start: number,
  size: number,
): Uint8Array | Float32Array {
  return collate(range(size).map((i) => data.picture(start + i)))
}

/**
 * The conditions of the pictures `start` … `start + size − 1` of the stream: f32 of `[size, data.conditions]`; without numbers where the
 * data have no conditions.
 *
 * @example
 * ```ts
 * import { conditionsAt, dataOfSeas } from 'fathom/data'
 *
 * conditionsAt(dataOfSeas({ seed: 1, size: 8 }, { labels: true }), 600, 4).length // => 56
 * conditionsAt(dataOfSeas({ seed: 1, size: 8 }), 600, 4).length // => 0
 * ```
 */
export const conditionsAt = (
  data: Pick<TrainingData, 'condition' | 'conditions'>,
  start: number,
  size: number,
): Float32Array => {
  const { condition, conditions = 0 } = data
  const all = new Float32Array(size * conditions)
  if (condition !== undefined)
    range(size).forEach((i) => {
      all.set(condition(start + i), i * conditions)
    })
  return all
}

/**
 * The mean of the first `most` pictures of the stream (all of a smaller set), of each pixel, in [−1, 1]: `[height, width, channels]`.
 *
 * @param scaled from a mean of what the pictures hold; default: of bytes, to [−1, 1]
 *
 * @example
 * ```ts
 * import { dataOfSet, meanPicture } from 'fathom/data'
 *
 * const set = { name: 'grey', height: 1, width: 2, channels: 1, count: 1, pixels: () => Uint8Array.of(0, 255) }
 * meanPicture(dataOfSet(set, 0)) // => [-1, 1]
 * ```
 */
export const meanPicture = (
  data: Pick<TrainingData<Uint8Array | Float32Array>, 'count' | 'picture'>,
  most = 256,
  scaled: (mean: number) => number = (mean) => mean / 127.5 - 1,
): Float32Array => {
  const count = Math.min(most, data.count)
  const sums = new Float64Array(data.picture(0).length)
  for (let i = 0; i < count; i++)
    data.picture(i).forEach((value, p) => {
      sums[p] = (sums[p] ?? 0) + value
    })
  return Float32Array.from(sums, (sum) => scaled(sum / count))
}
