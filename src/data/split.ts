/** Which pictures of a set are held out: a random share, or whole groups of pictures that show the same. */
import { at, range } from '../prelude/array.ts'
import { hostPermutationIndex, type HostKey } from '../prelude/threefry.ts'

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

/** The pictures of a set, by index, in the order in which a split takes them, and how many of them are held out. */
export interface Split {
  readonly held: number
  readonly at: (place: number) => number
}

/** A split of pictures, each alone: the first places of a permutation that is never written down. */
export const splitAlone = (key: HostKey, count: number): Split => ({
  held: heldOutShare(count),
  at: (place) => hostPermutationIndex(key, count, place),
})

/**
 * A split of groups, in the order of a permutation of them: each is held out that does not make the held out more than their share. Where
 * all are larger, the smallest is, unless it is the only one. Of groups of one picture it is {@link splitAlone}.
 */
export const splitGroups = (key: HostKey, groups: readonly number[]): Split => {
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
