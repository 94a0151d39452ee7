/**
 * Whether a picture is a copy of one of a set: whether it is much nearer to one than to any other.
 *
 * The test is d₁ < d₂/3 (so count Bonnaire et al. 2025, arXiv 2505.17638): a fixed bound would call every fog a copy of
 * every fog. It is blind where the set itself holds a picture twice, since then d₂ is small too. So the second nearest is looked for
 * among the pictures of other groups.
 */
import type { PictureIndex, Neighbour } from './pictureIndex.ts'

/**
 * A picture is a copy when it is nearer to one of a set than this part of its distance to the next.
 *
 * @example
 * ```ts
 * import { copyRatio } from 'fathom/data'
 *
 * copyRatio.toFixed(2) // => '0.33'
 * ```
 */
export const copyRatio = 1 / 3

/** How many neighbours are looked at before another search leaves the group of the nearest out. */
const looked = 8

/** What was found. */
export interface CopyReport {
  /** The nearest picture of the set. */
  readonly nearest: Neighbour
  /** The nearest one that is not of the same group. */
  readonly other: Neighbour
  /** d₁/d₂ in [0, 1]; 1 where both are 0. */
  readonly ratio: number
  /** Whether it is below {@link copyRatio}. */
  readonly copy: boolean
}

/**
 * Compares a picture with the nearest of a set, and with the nearest of another group.
 *
 * @param groups the group of each picture, by its index; unless told, each is alone
 * @param among which pictures of the set come into question; default all
 * @throws RangeError for a set of fewer than two groups, in which there is no other to compare with, and for groups of another set
 * @example
 * ```ts
 * import { copyOf, pictureIndex, seas } from 'fathom/data'
 *
 * const sea = seas({ seed: 1, size: 32 })
 * const index = pictureIndex({ height: 32, width: 32, channels: 3, count: 20, pixels: sea.image })
 * const darker = sea.image(7).map((byte) => 0.9 * byte)
 * const { nearest, copy } = copyOf(index, darker)
 * nearest.index // => 7
 * copy // => true
 * copyOf(index, sea.image(20)).copy // => false
 * ```
 */
export const copyOf = (
  index: PictureIndex,
  picture: Uint8Array,
  groups?: readonly number[],
  among: (index: number) => boolean = () => true,
): CopyReport => {
  if (groups !== undefined && groups.length !== index.count)
    throw new RangeError(
      `copyOf: there are ${groups.length} groups for ${index.count} pictures: give the group of each`,
    )
  const groupOf = (i: number): number => groups?.[i] ?? i
  const few = (): never => {
    throw new RangeError(
      'copyOf: the set holds fewer than two groups of pictures: there must be another to compare the nearest with',
    )
  }
  const near = index.nearest(picture, { count: looked, among })
  const [nearest = few()] = near
  const apart = (i: number): boolean => groupOf(i) !== groupOf(nearest.index)
  const [other = few()] = near.some((neighbour) => apart(neighbour.index))
    ? near.filter((neighbour) => apart(neighbour.index))
    : index.nearest(picture, { among: (i) => among(i) && apart(i) })
  const ratio = other.distance === 0 ? 1 : nearest.distance / other.distance
  return { nearest, other, ratio, copy: ratio < copyRatio }
}
