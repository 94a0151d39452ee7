/** What a model remembers: copies among its pictures, and whether they are nearer to what it has seen than to what it has not. */
import { at } from '../prelude/array.ts'
import { hostFold, type HostKey } from '../prelude/threefry.ts'
import {
  copiesAmong,
  copyRatio,
  likenessDistances,
  nearestOriginal,
  originalsOf,
  type CopyFinding,
  type Originals,
} from './copies.ts'
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

const counted = (copies: readonly boolean[]): Counted => ({ found: copies.filter(Boolean).length, all: copies.length })

const shareOf = (generated: Counted, usual: Counted): Share => ({ generated, usual, p: fisherP(generated, usual) })

/** How often pictures of the folder are copies of others in it: some of training, and those held out. */
const usualCopies = ({ training, heldOut }: Remembered, originals: Originals, some: readonly number[]): Counted => {
  const again = some.map((i) => nearestOriginal(originals, at(training.pictures, i), i).ratio < copyRatio)
  return counted([...again, ...copiesAmong(originals, heldOut).map(({ copy }) => copy)])
}

/** How many pictures of a set repeat an earlier one. */
const repeatsIn = (set: Pictures): Counted => {
  const originals = originalsOf(set)
  return counted(
    set.pictures.map((pixels, i) => {
      const { place, ratio } = nearestOriginal(originals, pixels, i)
      return ratio < copyRatio && place < i
    }),
  )
}

/** The share nearer to training than to as many pictures held out. */
const nearerOf = (
  { generated, training, heldOut }: Remembered,
  key: HostKey,
  permutations: number,
): Memory['nearer'] => {
  const m = Math.min(heldOut.pictures.length, training.pictures.length)
  const some = shuffle(hostFold(key, stream.training), training.pictures.length).slice(0, m)
  const both = originalsOf({
    ...training,
    pictures: [...pick(training, some).pictures, ...heldOut.pictures.slice(0, m)],
  })
  return nearerToTraining(
    likenessDistances(generated, both),
    assignments(hostFold(key, stream.labels), [m, m], permutations),
  )
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
