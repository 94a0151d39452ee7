/** Mean and standard deviation of numbers. */

/** The mean; NaN of nothing. */
export const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length

/** The standard deviation of the numbers themselves (over n, not n − 1). */
export const deviation = (xs: readonly number[]): number => {
  const m = mean(xs)
  return Math.sqrt(mean(xs.map((x) => (x - m) ** 2)))
}
