/** Small pure functions over arrays of numbers; shapes, axes and permutations are made of them. */

/** `[0, 1, …, n − 1]`. */
export const range = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i)

/** The product of all elements; 1 for none. */
export const product = (xs: readonly number[]): number => xs.reduce((a, b) => a * b, 1)

/** The element at `i`; throws where there is none, so that callers need no assertion. */
export const at = <T>(xs: readonly T[], i: number): T => {
  const x = xs[i]
  if (x === undefined) throw new RangeError(`index ${i} is outside an array of ${xs.length}`)
  return x
}

/** `xs[perm[0]], xs[perm[1]], …`. */
export const permute = <T>(xs: readonly T[], perm: readonly number[]): readonly T[] => perm.map((p) => at(xs, p))

/** The permutation that undoes `perm`. */
export const inversePermutation = (perm: readonly number[]): readonly number[] =>
  range(perm.length).map((i) => perm.indexOf(i))

/** Whether two arrays hold the same numbers in the same order. */
export const equalNumbers = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i])

/** `xs` without the positions in `axes`. */
export const without = <T>(xs: readonly T[], axes: readonly number[]): readonly T[] =>
  xs.filter((_, i) => !axes.includes(i))
