/** What a model remembers: copies among its pictures, and whether they are nearer to what it has seen than to what it has not. */
import { nearDuplicates } from '../data/likeness/nearDuplicates.ts'
import { at, range } from '../prelude/array.ts'
import { hostFold, type HostKey } from '../prelude/threefry.ts'
import { copiesAmong, findingOf, originalsOf, type CopyFinding, type Originals } from './copies.ts'
import type { Memory, Nearest, Share } from './judgement.ts'
import { assignments, shuffle } from './permutations.ts'
import { pick, type Pictures } from './pictures.ts'
import { nearestPlace, row, squaredDistances, type Rows } from './rows.ts'
import { fisherP, type Counted } from './scores/fisher.ts'
import { nearerToTraining } from './scores/trainingRank.ts'

/** Streams of the key. */
const stream = { controls: 0, training: 1, labels: 2 } as const

/** The three sets, RGB. */
export interface Remembered {
  readonly generated: Pictures
  readonly training: Pictures
  readonly heldOut: Pictures
}

/** How many are found. */
export const counted = (copies: readonly boolean[]): Counted => ({
  found: copies.filter(Boolean).length,
  all: copies.length,
})

/** A count beside what is usual. */
export const shareOf = (generated: Counted, usual: Counted): Share => ({
  generated,
  usual,
  p: fisherP(generated, usual),
})

/**
 * How often real pictures are called copies: those held out, and some of training, each among those of other groups. None of them is one, so
 * it is how often the search is wrong on these photographs.
 *
 * @param some places of pictures of training
 */
export const usualCopies = (
  { training, heldOut }: Pick<Remembered, 'training' | 'heldOut'>,
  originals: Originals,
  some: readonly number[],
): Counted => {
  // Without its own group a picture needs two others, to be nearer to one than to the other.
  const comparable = new Set(originals.groups).size > 2 ? some : []
  const again = comparable.map((i) => findingOf(originals, at(training.pictures, i), at(originals.groups, i)))
  return counted([...again, ...copiesAmong(originals, heldOut)].map(({ copy }) => copy))
}

/** How many pictures of a set repeat an earlier one. */
const repeatsIn = ({ pictures, ...shape }: Pictures): Counted => {
  const set = { ...shape, count: pictures.length, pixels: (i: number) => at(pictures, i) }
  const { groups } = nearDuplicates(set, { cutsUpTo: 0 })
  return counted(groups.map((group, i) => group !== i))
}

/** The first picture of each group. */
const onePerGroup = (set: Pictures): Pictures => {
  const { groups } = set
  return groups === undefined
    ? set
    : pick(
        set,
        range(groups.length).filter((i) => groups.indexOf(at(groups, i)) === i),
      )
}

/**
 * The share nearer to training than to as many held out. Of each group one picture: seven crops of a photograph are held out, or trained
 * on, together, so that only whole groups can be exchanged.
 */
const nearerOf = (sets: Remembered, key: HostKey, permutations: number): Memory['nearer'] => {
  const [training, heldOut] = [onePerGroup(sets.training), onePerGroup(sets.heldOut)]
  const m = Math.min(heldOut.pictures.length, training.pictures.length)
  const some = shuffle(hostFold(key, stream.training), training.pictures.length).slice(0, m)
  const { groups: _, ...both } = {
    ...training,
    pictures: [...pick(training, some).pictures, ...heldOut.pictures.slice(0, m)],
  }
  const { index } = originalsOf(both)
  const nearest = sets.generated.pictures.map((pixels) => at(index.nearest(pixels), 0).index)
  return nearerToTraining(nearest, m, assignments(hostFold(key, stream.labels), [m, m], permutations))
}

/** What is remembered. @param findings of the generated pictures among the originals, which are those of training */
export const memoryOf = (
  sets: Remembered,
  originals: Originals,
  findings: readonly CopyFinding[],
  { key, permutations }: { readonly key: HostKey; readonly permutations: number },
): Memory => {
  const { generated, training } = sets
  const some = shuffle(hostFold(key, stream.controls), training.pictures.length).slice(0, generated.pictures.length)
  return {
    copies: shareOf(counted(findings.map(({ copy }) => copy)), usualCopies(sets, originals, some)),
    repeats: shareOf(repeatsIn(generated), repeatsIn(pick(training, some))),
    nearer: nearerOf(sets, key, permutations),
  }
}

/** Of each generated picture the nearest of training, in likeness and in features. */
export const nearestOf = (
  findings: readonly CopyFinding[],
  generated: Rows | undefined,
  training: Rows | undefined,
): readonly Nearest[] =>
  findings.map((finding, i) => {
    if (generated === undefined || training === undefined) return { ...finding, byFeatures: finding.place }
    const own: Rows = { count: 1, width: generated.width, values: row(generated, i) }
    return { ...finding, byFeatures: nearestPlace(squaredDistances(own, training).values) }
  })
