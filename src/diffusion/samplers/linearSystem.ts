/** Small systems of linear equations on the host, for methods whose weights solve one. */
import { at, range } from '../../prelude/array.ts'

/** x of A·x = b, by Gauss's elimination with the largest pivot of each column. */
export const solve = (matrix: readonly (readonly number[])[], right: readonly number[]): readonly number[] => {
  const rows = matrix.map((row, i) => [...row, at(right, i)])
  const reduced = range(rows.length).reduce<readonly (readonly number[])[]>((system, k) => {
    const below = system.slice(k).map((row) => Math.abs(at(row, k)))
    const best = k + below.indexOf(Math.max(...below))
    const pivot = at(system, best).map((x, _, row) => x / at(row, k))
    const others = system.filter((_, i) => i !== best).map((row) => row.map((x, j) => x - at(row, k) * at(pivot, j)))
    return [...others.slice(0, k), pivot, ...others.slice(k)]
  }, rows)
  return reduced.map((row) => at(row, row.length - 1))
}
