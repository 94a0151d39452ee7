/** Neighbours of pooled points: sorted once, they give every score of neighbours for every assignment of labels. */
import { at, range } from '../../prelude/array.ts'
import { joinedRows, row, squaredDistances, type Rows } from '../rows.ts'

/** Two samples pooled. */
export interface Neighbours {
  readonly sizes: readonly [real: number, generated: number]
  /** Squared distances of all pairs. */
  readonly distances: Rows
  /** Of each point the others, the nearest first. */
  readonly order: readonly Int32Array[]
}

/** The neighbours of the points of both samples; those of the real one come first. */
export const neighboursOf = (real: Rows, generated: Rows): Neighbours => {
  const points = joinedRows(real, generated)
  const distances = squaredDistances(points, points)
  const order = range(points.count).map((i) => {
    const from = row(distances, i)
    const others = Int32Array.from(range(points.count).filter((j) => j !== i))
    // Of equal distances the earlier point comes first, so that the order is one.
    return others.toSorted((a, b) => (from[a] ?? 0) - (from[b] ?? 0) || a - b)
  })
  return { sizes: [real.count, generated.count], distances, order }
}

/** The squared distance to the k-th nearest point of the same label (NND_k), of each point. */
export const radii = ({ distances, order }: Neighbours, labels: Uint8Array, k: number): Float64Array =>
  Float64Array.from(order, (others, i) => {
    let seen = 0
    for (const j of others)
      if (labels[j] === labels[i] && ++seen === k) return distances.values[i * distances.count + j] ?? 0
    throw new RangeError(`${k} neighbours need more than ${k} pictures of each kind, and there are ${seen + 1}`)
  })

/** Whether the point `i` is nearer to any point of the other label than to its k-th of its own. */
export const reached = ({ distances, order }: Neighbours, labels: Uint8Array, i: number, k: number): boolean => {
  let [own, nearestOther] = [0, Infinity]
  for (const j of at(order, i)) {
    const d = distances.values[i * distances.count + j] ?? 0
    if (labels[j] !== labels[i]) nearestOther = Math.min(nearestOther, d)
    else if (++own === k) return nearestOther < d
  }
  return false
}
