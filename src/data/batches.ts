/**
 * Where training draws its pictures from: an endless stream whose i-th picture is a function of the seed, and pictures that are held
 * out. A run resumes at any step from an integer, without replaying what came before.
 */
import { range } from '../prelude/array.ts'
import { hostFold, hostKey, hostPermutationIndex, type HostKey } from '../prelude/threefry.ts'
import type { ImageSet } from './imageSet.ts'
import { seas, type SeasConfig } from './seas/index.ts'

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

/** The i-th picture's place in an endless sequence of epochs, each a permutation of its own. */
const shuffled = (key: HostKey, count: number, i: number): number =>
  hostPermutationIndex(hostFold(key, Math.floor(i / count)), count, i % count)

/**
 * A set as training data: a tenth of it (64 at most) is held out, the rest comes in a fresh order each epoch.
 *
 * @param seed chooses what is held out, and the order; a safe integer ≥ 0
 * @throws RangeError for a set without pictures
 * @example
 * ```ts
 * import { batchAt, dataOfSet } from 'fathom/data'
 *
 * const pixels = (i: number) => Uint8Array.of(i)
 * const data = dataOfSet({ name: 'dots', height: 1, width: 1, channels: 1, count: 10, pixels }, 0)
 * const epoch = batchAt(data, 0, 9) // each picture once, but the one that is held out
 * const all = [...epoch, ...data.heldOut(0)]
 * all.toSorted((a, b) => a - b) // => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
 * ```
 */
export const dataOfSet = <A>(set: ImageSet<A>, seed: number): TrainingData<A> => {
  if (set.count < 1) throw new RangeError(`dataOfSet: ${set.name} has no pictures`)
  const key = hostKey(seed)
  const [split, order] = [hostFold(key, stream.split), hostFold(key, stream.order)]
  const held = heldOutShare(set.count)
  const count = set.count - held
  const member = (place: number): A => set.pixels(hostPermutationIndex(split, set.count, place))
  return {
    name: set.name,
    height: set.height,
    width: set.width,
    channels: set.channels,
    count,
    picture: (i) => member(held + shuffled(order, count, i)),
    heldOutCount: Math.max(1, held),
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
