/** Points as the rows of a matrix, and their distances: what all scores of feature spaces compute with, on the host in f64. */

/** `count` points of `width` numbers, one after the other. */
export interface Rows {
  readonly count: number
  readonly width: number
  readonly values: Float64Array
}

/** Points given one by one, all of one length. */
export const rowsOf = (points: readonly ArrayLike<number>[]): Rows => {
  const width = points[0]?.length ?? 0
  const values = new Float64Array(points.length * width)
  points.forEach((point, i) => {
    if (point.length !== width)
      throw new RangeError(`rowsOf: point ${i} has ${point.length} numbers, the first has ${width}`)
    values.set(Array.from(point), i * width)
  })
  return { count: points.length, width, values }
}

/** The i-th point; a view. */
export const row = ({ values, width }: Rows, i: number): Float64Array => values.subarray(i * width, (i + 1) * width)

/** The points at some places. */
export const pickRows = (rows: Rows, places: readonly number[]): Rows => {
  const values = new Float64Array(places.length * rows.width)
  places.forEach((place, i) => {
    values.set(row(rows, place), i * rows.width)
  })
  return { count: places.length, width: rows.width, values }
}

const requireOneSpace = (a: Rows, b: Rows): void => {
  if (a.width !== b.width)
    throw new RangeError(`points of ${a.width} and of ${b.width} numbers are of different spaces`)
}

/** The points of both, those of `a` first. */
export const joinedRows = (a: Rows, b: Rows): Rows => {
  requireOneSpace(a, b)
  const values = new Float64Array(a.values.length + b.values.length)
  values.set(a.values)
  values.set(b.values, a.values.length)
  return { count: a.count + b.count, width: a.width, values }
}

/** The inner products ⟨a, b⟩ of all pairs: [a.count, b.count]. */
export const products = (a: Rows, b: Rows): Rows => {
  requireOneSpace(a, b)
  const { width } = a
  const values = new Float64Array(a.count * b.count)
  for (let i = 0; i < a.count; i++)
    for (let j = 0; j < b.count; j++) {
      let sum = 0
      for (let k = 0; k < width; k++) sum += (a.values[i * width + k] ?? 0) * (b.values[j * width + k] ?? 0)
      values[i * b.count + j] = sum
    }
  return { count: a.count, width: b.count, values }
}

/** The squared distances |a − b|² of all pairs, [a.count, b.count]; sums of differences, so that equal points are at 0 exactly. */
export const squaredDistances = (a: Rows, b: Rows): Rows => {
  requireOneSpace(a, b)
  const { width } = a
  const values = new Float64Array(a.count * b.count)
  for (let i = 0; i < a.count; i++)
    for (let j = 0; j < b.count; j++) {
      let sum = 0
      for (let k = 0; k < width; k++) {
        const difference = (a.values[i * width + k] ?? 0) - (b.values[j * width + k] ?? 0)
        sum += difference * difference
      }
      values[i * b.count + j] = sum
    }
  return { count: a.count, width: b.count, values }
}

/** The place of the smallest of some numbers; of equal ones the first. */
export const nearestPlace = (values: Float64Array): number => {
  let place = 0
  for (let i = 1; i < values.length; i++) if ((values[i] ?? 0) < (values[place] ?? 0)) place = i
  return place
}
