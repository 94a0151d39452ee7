/**
 * Copies of training pictures among generated ones, by the likeness of `fathom/data`: a picture is a copy where it is three times as near to
 * one as to any of another group, d₁ < d₂/3. Pictures of one photograph are of one group, so that seven crops of it hide no copy.
 */
import { copyOf } from '../data/likeness/copies.ts'
import { pictureIndex, type PictureIndex } from '../data/likeness/pictureIndex.ts'
import { at, range } from '../prelude/array.ts'
import type { Pictures } from './pictures.ts'

/** Pictures among which copies are sought. */
export interface Originals {
  readonly index: PictureIndex
  /** The group of each. */
  readonly groups: readonly number[]
}

/**
 * Prepares the pictures that may have been copied.
 *
 * @param set its `groups` say which of them show the same photograph
 * @example
 * ```ts
 * import { seas } from 'fathom/data'
 * import { originalsOf } from 'fathom/evaluation'
 *
 * const data = seas({ seed: 1, size: 16 })
 * const pictures = [data.image(0), data.image(1), data.image(2)]
 * originalsOf({ height: 16, width: 16, channels: 3, pictures }).index.count // => 3
 * ```
 */
export const originalsOf = ({ pictures, groups = range(pictures.length), ...shape }: Pictures): Originals => ({
  index: pictureIndex({ ...shape, count: pictures.length, pixels: (i) => at(pictures, i) }),
  groups,
})

/** What of the originals is nearest to a picture, and whether the picture is a copy of it. */
export interface CopyFinding {
  /** Its place among the originals. */
  readonly place: number
  /** Its distance over that of the nearest of another group: near 1 for a picture of its own, 0 for a copy. */
  readonly ratio: number
  readonly copy: boolean
}

/**
 * What is nearest to a picture.
 *
 * @param without a group that does not come into question: the picture's own, where it is one of the originals
 */
export const findingOf = ({ index, groups }: Originals, pixels: Uint8Array, without?: number): CopyFinding => {
  const { nearest, ratio, copy } = copyOf(index, pixels, groups, (i) => at(groups, i) !== without)
  return { place: nearest.index, ratio, copy }
}

/**
 * Of each picture the nearest original, and whether it is a copy of it.
 *
 * @param set of the size and the channels of the originals
 * @throws RangeError for originals of fewer than two groups, among which there is no other to compare with
 * @example
 * ```ts
 * import { seas } from 'fathom/data'
 * import { copiesAmong, originalsOf } from 'fathom/evaluation'
 *
 * const data = seas({ seed: 1, size: 16 })
 * const of = (places: readonly number[]) => ({ height: 16, width: 16, channels: 3, pictures: places.map(data.image) })
 * const originals = originalsOf(of(Array.from({ length: 60 }, (_, i) => i)))
 * copiesAmong(originals, of([7, 1000])).map(({ place, copy }) => copy ? place : 'its own') // => [7, 'its own']
 * ```
 */
export const copiesAmong = (originals: Originals, { pictures }: Pictures): readonly CopyFinding[] =>
  pictures.map((pixels) => findingOf(originals, pixels))
