/**
 * Which pictures of a set show the same photograph: copies, second shots of one scene, overlapping cuts. They are put into groups, so that
 * what is held out can be held out.
 *
 * Copies are neighbours by {@link likeness} whose pixels agree; cuts share keypoints under one scale and shift, and their pixels agree
 * where they overlap. On 251 cuts of 37 photographs, up to seven of one at scales of 1 to 2, no two photographs came into one group, and
 * 98 % of the pairs of one photograph did. Of 1,898 photographs of 64×64, 47 came into 21 groups, and by eye 19 groups are of one scene;
 * that took half a minute of one core; 5,000 take two minutes, and half a gigabyte while it lasts.
 */
import { at, range } from '../../prelude/array.ts'
import { requireKnown, requireWhole } from '../../prelude/options.ts'
import type { ImageSet } from '../imageSet.ts'
import { resampleArea, type PictureShape } from '../resample.ts'
import { keypointsOf, type Keypoint } from './keypoints.ts'
import { keypointTable } from './keypointTable.ts'
import { bestPlacing, pixelsAgree, type Match } from './overlap.ts'
import { pictureIndex } from './pictureIndex.ts'
import { blurredBy, type Grey } from './scaleSpace.ts'

/** The side of the pictures in which keypoints are looked for, at most. */
const mostSide = 128

/** Neighbours at this distance are copies without another look. */
const surely = 0.02

/** Neighbours at this distance may be copies: the pixels decide. */
const perhaps = 0.25

/** How many neighbours of each picture are looked at. */
const neighbours = 4

/** The brightness of a picture, at most {@link mostSide} a side (ITU-R BT.601; grey as it is). */
const greyOf = (pixels: Uint8Array, shape: PictureShape): Grey => {
  const [height, width] = [Math.min(mostSide, shape.height), Math.min(mostSide, shape.width)]
  const all = resampleArea(pixels, shape, height, width)
  const weights = shape.channels === 1 ? [1] : [0.299, 0.587, 0.114]
  const values = Float32Array.from({ length: height * width }, (_, i) =>
    weights.reduce((sum, weight, c) => sum + weight * (all[i * shape.channels + c] ?? 0), 0),
  )
  return { height, width, values }
}

/** A picture's brightness without its finest detail: what pixels are compared in. */
const softened = (grey: Grey): Grey => blurredBy(grey, 5)

const mirroredGrey = ({ height, width, values }: Grey): Grey => ({
  height,
  width,
  values: values.map((_, i) => values[i - (i % width) + width - 1 - (i % width)] ?? 0),
})

/** Whether pixels agree under a shift that {@link likeness} does not see, mirrored or not. */
const isCopy = (a: Grey, b: Grey): boolean => {
  const steps = range(9).map((i) => i - 4)
  return [b, mirroredGrey(b)].some((other) =>
    steps.some((down) =>
      steps.some((right) =>
        pixelsAgree(a, other, { scale: 1, down: (down * b.height) / 64, right: (right * b.width) / 64 }),
      ),
    ),
  )
}

/** Groups of numbers 0 … n − 1 that grow together: union and find. */
const unions = (n: number): { readonly find: (i: number) => number; readonly join: (i: number, j: number) => void } => {
  const parents = Int32Array.from({ length: n }, (_, i) => i)
  const find = (i: number): number => {
    let root = i
    while (parents[root] !== root) root = parents[root] ?? root
    for (let now = i; now !== root;) {
      const next = parents[now] ?? root
      parents[now] = root
      now = next
    }
    return root
  }
  const join = (i: number, j: number): void => {
    const [a, b] = [find(i), find(j)]
    parents[Math.max(a, b)] = Math.min(a, b) // a group is called after its first picture
  }
  return { find, join }
}

/** What looking for pairs needs. */
interface Work {
  /** The brightness of a picture, softened. */
  readonly soft: (i: number) => Grey
  /** Two pictures show the same. */
  readonly join: (i: number, j: number) => void
  /** A picture has been compared with those before it, or with all. */
  readonly done: () => void
}

/** Remembers the last two of what is made for a number: pictures are asked for in pairs, one of them again and again. */
const lastKept = <T>(make: (i: number) => T): ((i: number) => T) => {
  let kept: readonly (readonly [number, T])[] = []
  return (i) => {
    const made = kept.find(([number]) => number === i)?.[1] ?? make(i)
    kept = [[i, made], ...kept.filter(([number]) => number !== i).slice(0, 1)]
    return made
  }
}

/** Joins copies. */
const joinCopies = (set: Omit<ImageSet, 'name'>, { soft, join, done }: Work): void => {
  const index = pictureIndex(set)
  for (let i = 0; i < set.count; i++) {
    for (const { index: j, distance } of index.nearestOf(i, { count: neighbours }))
      if (distance < surely || (distance < perhaps && isCopy(soft(i), soft(j)))) join(i, j)
    done()
  }
}

/** Joins cuts of one photograph. */
const joinCuts = (set: Omit<ImageSet, 'name'>, { soft, join, done }: Work): void => {
  const table = keypointTable()
  const known: (readonly [picture: number, keypoint: Keypoint])[] = []
  const side = Math.min(mostSide, Math.max(set.height, set.width))
  for (let i = 0; i < set.count; i++) {
    const keypoints = keypointsOf(greyOf(set.pixels(i), set))
    const matches = new Map<number, Match[]>()
    for (const keypoint of keypoints)
      for (const number of table.alikeTo(keypoint.descriptor)) {
        const [picture, other] = at(known, number)
        const so = matches.get(picture)
        if (so === undefined) matches.set(picture, [[other, keypoint]])
        else so.push([other, keypoint])
      }
    for (const [picture, those] of matches) {
      const placing = bestPlacing(those, side)
      if (placing !== undefined && pixelsAgree(soft(picture), soft(i), placing)) join(picture, i)
    }
    for (const keypoint of keypoints) {
      table.add(keypoint.descriptor)
      known.push([i, keypoint])
    }
    done()
  }
}

/** What may be told to {@link nearDuplicates}. */
export interface DuplicateOptions {
  /** Overlapping cuts are looked for among at most so many pictures, copies among any number. Default 5,000. */
  readonly cutsUpTo?: number
  /** Called as the search goes on, with how much of it is done, up to 1. */
  readonly onProgress?: (share: number) => void
}

/** What was found. */
export interface NearDuplicates {
  /** The group of each picture, called after its first: `groups[i]` is `i` for a picture without duplicates before it. */
  readonly groups: readonly number[]
  /** How many pictures are in a group with others, and in how many groups. */
  readonly pictures: number
  readonly shared: number
  /** Whether overlapping cuts were looked for too, or copies of whole pictures alone. */
  readonly cuts: boolean
  /** What a person should know, in a sentence; empty where nothing was found and all was looked for. */
  readonly summary: string
}

const grouped = (n: number): string => n.toLocaleString('en-US')

const summaryOf = (pictures: number, shared: number, limit: number | undefined): string => {
  const found = `${grouped(pictures)} pictures are near-duplicates of others, in ${grouped(shared)} ${shared === 1 ? 'group' : 'groups'}`
  const alone =
    limit === undefined
      ? []
      : [`copies of whole pictures were looked for alone: overlapping cuts are, among up to ${grouped(limit)} pictures`]
  return [...(pictures > 0 ? [found] : []), ...alone].join('; ')
}

/**
 * Groups the pictures of a set that show the same photograph. Being in one group is an equivalence: what is like a picture of a group
 * belongs to it. A set of more than 5,000 is searched for copies of whole pictures alone, and the summary says so.
 *
 * @param set pictures of one size, of which none is changed
 * @example
 * ```ts
 * import { nearDuplicates, seas } from 'fathom/data'
 *
 * const sea = seas({ seed: 1, size: 32 })
 * const darker = sea.image(3).map((byte) => 0.9 * byte)
 * const pixels = (i: number) => (i === 5 ? darker : sea.image(i))
 * const found = nearDuplicates({ height: 32, width: 32, channels: 3, count: 6, pixels })
 * found.groups // => [0, 1, 2, 3, 4, 3]
 * found.summary // => '2 pictures are near-duplicates of others, in 1 group'
 * ```
 */
export const nearDuplicates = (set: Omit<ImageSet, 'name'>, options: DuplicateOptions = {}): NearDuplicates => {
  requireKnown('nearDuplicates', options, ['cutsUpTo', 'onProgress'])
  const { cutsUpTo = 5000, onProgress } = options
  requireWhole('nearDuplicates', 'cutsUpTo', cutsUpTo)
  const { find, join } = unions(set.count)
  const soft = lastKept((i) => softened(greyOf(set.pixels(i), set)))
  const cuts = set.count <= cutsUpTo
  let steps = 0
  const done = (): void => onProgress?.(++steps / (set.count * (cuts ? 2 : 1)))
  const work = { soft, join, done }
  joinCopies(set, work)
  if (cuts) joinCuts(set, work)
  const groups = range(set.count).map(find)
  const sizes = new Map<number, number>()
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1)
  const several = [...sizes.values()].filter((size) => size > 1)
  const pictures = several.reduce((sum, size) => sum + size, 0)
  return {
    groups,
    pictures,
    shared: several.length,
    cuts,
    summary: summaryOf(pictures, several.length, cuts ? undefined : cutsUpTo),
  }
}
