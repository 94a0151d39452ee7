/**
 * Which keypoints of a set look like a given one, without comparing it with all: by hashes that two alike mostly share (Charikar,
 * "Similarity estimation techniques from rounding algorithms", STOC 2002).
 */
import { range } from '../../prelude/array.ts'
import { hostFold, hostKey, hostPermutationIndex } from '../../prelude/threefry.ts'
import { descriptorLength } from './keypoints.ts'
import { dot } from './likeness.ts'

/** Hashes of each descriptor, and their bits. */
const tables = 8
const bits = 16

/** A bit compares two sums of so many numbers of the descriptor. */
const summed = 8

/** Descriptors alike: ‖a − b‖² below this. */
const alike = 0.12

/** Hashes that more keypoints share belong to what is in every picture, as a horizon. */
const crowd = 100

/** The numbers that each bit of each table compares: `summed` and `summed` places. */
const comparisons: readonly (readonly (readonly number[])[])[] = range(tables).map((table) =>
  range(bits).map((bit) => {
    const key = hostFold(hostKey(table), bit)
    return range(2 * summed).map((i) => hostPermutationIndex(key, descriptorLength, i))
  }),
)

const hashOf = (descriptor: Float32Array, table: readonly (readonly number[])[]): number => {
  let hash = 0
  for (const places of table) {
    let difference = 0
    for (let i = 0; i < places.length; i++) difference += (i < summed ? 1 : -1) * (descriptor[places[i] ?? 0] ?? 0)
    hash = 2 * hash + (difference > 0 ? 1 : 0)
  }
  return hash
}

/** A growing table of descriptors, numbered from 0 in the order in which they come. */
export interface KeypointTable {
  /** The numbers of those alike that are in it already. */
  readonly alikeTo: (descriptor: Float32Array) => readonly number[]
  readonly add: (descriptor: Float32Array) => void
}

/** An empty table. */
export const keypointTable = (): KeypointTable => {
  const descriptors: Float32Array[] = []
  const lastAsked: number[] = [] // which question last met each, so that none is compared twice
  let asked = 0
  const buckets = range(tables).map(() => new Map<number, number[]>())
  return {
    alikeTo: (descriptor) => {
      const found: number[] = []
      asked++
      comparisons.forEach((table, t) => {
        const bucket = buckets[t]?.get(hashOf(descriptor, table)) ?? []
        if (bucket.length > crowd) return
        for (const number of bucket) {
          if (lastAsked[number] === asked) continue
          lastAsked[number] = asked
          const other = descriptors[number]
          if (other !== undefined && 2 - 2 * dot(descriptor, other) < alike) found.push(number)
        }
      })
      return found
    },
    add: (descriptor) => {
      comparisons.forEach((table, t) => {
        const hash = hashOf(descriptor, table)
        const bucket = buckets[t]?.get(hash)
        if (bucket === undefined) buckets[t]?.set(hash, [descriptors.length])
        else if (bucket.length <= crowd) bucket.push(descriptors.length)
      })
      descriptors.push(descriptor)
      lastAsked.push(0)
    },
  }
}
