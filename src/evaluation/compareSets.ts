/** Which of two sets of generated pictures is nearer to real ones: of two runs, two samplers, two ways to guide. */
import { requireKnown } from '../prelude/options.ts'
import { hostFold, hostKey } from '../prelude/threefry.ts'
import type { Device } from '../tensor/device.ts'
import { featureSpaces } from './features/registry.ts'
import type { FeatureSpace } from './features/space.ts'
import { assignments, requirePermutations, shuffle } from './permutations.ts'
import { asRgb, type Pictures } from './pictures.ts'
import { relativeKernel, relativeNearest, type Relative } from './scores/relative.ts'
import { groundOf, part } from './seen.ts'

/** What is compared, and by what. */
export interface CompareOptions {
  readonly first: Pictures
  readonly second: Pictures
  /** Real pictures: three times as many as those of a set, else fewer are compared. */
  readonly training: Pictures
  /** Default: all of {@link featureSpaces}. */
  readonly spaces?: readonly FeatureSpace[]
  /** From which everything random is drawn; default 0. */
  readonly seed?: number
  /** Random assignments for each p-value, at least 19; default 999. */
  readonly permutations?: number
}

/** The scores of both sets in one feature space. */
export interface SpaceComparison {
  /** MMD² to real pictures: less is nearer. */
  readonly kernel: Relative
  /** How often the nearest neighbour tells a picture from real ones: 0.5 where it cannot. */
  readonly nearest: Relative
}

/** What a comparison found: a plain record. */
export interface Comparison {
  /** Pictures of each set that are compared. */
  readonly count: number
  /** By the name of the space. */
  readonly spaces: Readonly<Record<string, SpaceComparison>>
  /** The set whose kernel distance is less in every space, with p below 0.05 in each. */
  readonly nearer?: 'first' | 'second'
}

/** Sets of fewer pictures say nothing. */
const leastPictures = 16

/** Streams of the seed. */
const stream = { order: 0, labels: 1 } as const

const requireSets = (sets: Pick<CompareOptions, 'first' | 'second' | 'training'>): void => {
  const { training } = sets
  for (const [name, { height, width, pictures }] of Object.entries(sets)) {
    if (height !== training.height || width !== training.width)
      throw new RangeError(
        `compareSets: the pictures of ${name} are ${height}×${width} and those of training ${training.height}×${training.width}: compare pictures of one size`,
      )
    const needed = name === 'training' ? 3 * leastPictures : leastPictures
    if (pictures.length < needed)
      throw new RangeError(`compareSets: ${name} has ${pictures.length} pictures, and at least ${needed} are needed`)
  }
}

/** Below this chance a difference counts. */
const alarm = 0.05

const nearerIn = (spaces: readonly SpaceComparison[]): Pick<Comparison, 'nearer'> => {
  const nearer = (['first', 'second'] as const).find((side) => {
    const other = side === 'first' ? 'second' : 'first'
    return spaces.every(({ kernel }) => kernel[side] < kernel[other] && kernel.p < alarm)
  })
  return spaces.length === 0 || nearer === undefined ? {} : { nearer }
}

/**
 * Compares two sets of pictures by how near they are to the same real ones. The same seed gives the same numbers on one device.
 *
 * @throws RangeError for sets of different sizes of pictures, or of too few
 * @example
 * ```ts
 * import { seas } from 'fathom/data'
 * import { blurredPictures, compareSets } from 'fathom/evaluation'
 *
 * const data = seas({ seed: 1, size: 16 })
 * const of = (first: number, count: number) => ({
 *   height: 16, width: 16, channels: 3, pictures: Array.from({ length: count }, (_, i) => data.image(first + i)),
 * })
 * const [training, first] = [of(0, 96), of(900, 32)]
 * const { nearer } = await compareSets(device, { first, second: blurredPictures(of(950, 32), 2), training, permutations: 99 })
 * nearer // => 'first'
 * ```
 */
export const compareSets = async (device: Device, options: CompareOptions): Promise<Comparison> => {
  requireKnown('compareSets', options, ['first', 'second', 'training', 'spaces', 'seed', 'permutations'])
  const { seed = 0, permutations = 999, spaces = Object.values(featureSpaces) } = options
  const sets = { first: asRgb(options.first), second: asRgb(options.second), training: asRgb(options.training) }
  requirePermutations('compareSets', permutations)
  requireSets(sets)
  const key = hostKey(seed)
  const most = Math.min(sets.first.pictures.length, sets.second.pictures.length)
  const ground = await groundOf(device, sets.training, most, spaces, hostFold(key, stream.order))
  const count = ground.real.pictures.pictures.length
  const seen = async (set: Pictures) =>
    part(await ground.eyes(set), shuffle(hostFold(key, stream.order), set.pictures.length).slice(0, count))
  const [first, second] = [await seen(sets.first), await seen(sets.second)]
  const permuted = assignments(hostFold(key, stream.labels), [count, count], permutations)
  const compared = [...ground.real.points].flatMap(([name, real]): (readonly [string, SpaceComparison])[] => {
    const [a, b] = [first.points.get(name), second.points.get(name)]
    if (a === undefined || b === undefined) return []
    return [
      [
        name,
        {
          kernel: relativeKernel(real.white, a.white, b.white, permuted),
          nearest: relativeNearest(real.standard, a.standard, b.standard, permuted),
        },
      ],
    ]
  })
  return { count, spaces: Object.fromEntries(compared), ...nearerIn(compared.map(([, space]) => space)) }
}
