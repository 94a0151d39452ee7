/**
 * Noises that are assigned to pictures within a batch, Li et al. 2024 ("Immiscible diffusion", section 3.2): of all ways to give each picture a noise of its
 * own, that in which they lie nearest together. The assignment is solved on the host, exactly; what is given and returned are arrays.
 */
import { at, range } from '../prelude/array.ts'

/** A path from a row that has no column to a column that has no row, as the search has found it. */
interface Search {
  /** The column before each on its path; −1 at the row's own. */
  readonly before: Int32Array
  /** The free column at its end. */
  readonly end: number
}

/** The potentials of rows and columns, and the row of each column; the last column is where a row waits for its own. */
interface Matching {
  readonly rows: Float64Array
  readonly columns: Float64Array
  readonly rowOf: Int32Array
}

/** The number at a place; −1 before there is one. */
const of = (numbers: ArrayLike<number>, i: number): number => numbers[i] ?? -1

/** Dijkstra's search over reduced costs from the row that waits, which moves potentials so that its path is free. Fills in `matching`. */
const search = (costs: ArrayLike<number>, n: number, { rows, columns, rowOf }: Matching): Search => {
  const before = new Int32Array(n + 1).fill(-1)
  const slack = new Float64Array(n + 1).fill(Infinity)
  const seen = new Uint8Array(n + 1)
  let column = n
  while (of(rowOf, column) >= 0) {
    seen[column] = 1
    const row = of(rowOf, column)
    let [least, next] = [Infinity, n]
    for (let j = 0; j < n; j++) {
      if (of(seen, j) === 1) continue
      const reduced = of(costs, row * n + j) - of(rows, row) - of(columns, j)
      if (reduced < of(slack, j)) {
        slack[j] = reduced
        before[j] = column
      }
      if (of(slack, j) < least) [least, next] = [of(slack, j), j]
    }
    for (let j = 0; j <= n; j++)
      if (of(seen, j) === 1) {
        rows[of(rowOf, j)] = of(rows, of(rowOf, j)) + least
        columns[j] = of(columns, j) - least
      } else slack[j] = of(slack, j) - least
    column = next
  }
  return { before, end: column }
}

/** Refuses costs that are not n² finite numbers. */
const requireSquare = (costs: ArrayLike<number>, n: number): void => {
  if (!(Number.isSafeInteger(n) && n >= 0 && costs.length === n * n))
    throw new RangeError(`assignment: there are ${costs.length} costs for ${n} rows; give ${n} × ${n}, row by row`)
  const wrong = range(costs.length).find((i) => !Number.isFinite(costs[i]))
  if (wrong !== undefined) throw new RangeError(`assignment: the cost ${wrong} is ${costs[wrong]}; it must be finite`)
}

/**
 * The linear assignment of least cost, by the Hungarian method in the form of shortest augmenting paths (Kuhn 1955, Jonker & Volgenant 1987): O(n³).
 *
 * @param costs n × n finite numbers, row by row
 * @returns the column of each row, each column once
 * @throws RangeError for costs that are not n² finite numbers
 * @example
 * ```ts
 * import { assignment } from 'fathom/diffusion'
 *
 * assignment([1, 2, 2, 9], 2) // => [1, 0]
 * ```
 */
export const assignment = (costs: ArrayLike<number>, n: number): Int32Array => {
  requireSquare(costs, n)
  const matching = {
    rows: new Float64Array(n),
    columns: new Float64Array(n + 1),
    rowOf: new Int32Array(n + 1).fill(-1),
  }
  const { rowOf } = matching
  for (const row of range(n)) {
    rowOf[n] = row
    const { before, end } = search(costs, n, matching)
    for (let column = end; column !== n; column = of(before, column)) rowOf[column] = of(rowOf, of(before, column))
  }
  const columnOf = new Int32Array(n)
  for (const column of range(n)) columnOf[of(rowOf, column)] = column
  return columnOf
}

/**
 * The noises of a batch in the order in which they lie nearest to its pictures: of all orders that of the least sum of distances ‖x₀ − ε‖. Each noise is
 * used once, so that together they are as normal as before. For training loops of one's own: a run's step draws its noise on the device, and has
 * `nearestNoise` instead.
 *
 * @param x0 n pictures, one after the other
 * @param epsilon n noises like them
 * @returns the noises in their new order
 * @throws RangeError for arrays that are not n of one length each
 * @example
 * ```ts
 * import { assignNoise } from 'fathom/diffusion'
 *
 * assignNoise(Float32Array.of(1, 1, -1, 0), Float32Array.of(-2, 0, 0, 1), 2) // => [0, 1, -2, 0]
 * ```
 */
export const assignNoise = (x0: Float32Array, epsilon: Float32Array, n: number): Float32Array => {
  const each = x0.length / n
  if (!(Number.isSafeInteger(n) && n >= 1 && Number.isInteger(each) && epsilon.length === x0.length))
    throw new RangeError(
      `assignNoise: there are ${x0.length} numbers of pictures and ${epsilon.length} of noises for ${n} of each; give ${n} of one length`,
    )
  const part = (of: Float32Array, i: number): Float32Array => of.subarray(i * each, (i + 1) * each)
  const distance = (a: Float32Array, b: Float32Array): number =>
    Math.sqrt(a.reduce((sum, v, i) => sum + (v - (b[i] ?? NaN)) ** 2, 0))
  const costs = range(n).flatMap((i) => range(n).map((j) => distance(part(x0, i), part(epsilon, j))))
  const order = assignment(costs, n)
  const assigned = new Float32Array(epsilon.length)
  for (const i of range(n)) assigned.set(part(epsilon, at([...order], i)), i * each)
  return assigned
}
