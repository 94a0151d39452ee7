/** Mean, deviation and quantiles of numbers. */

/** The mean; NaN of nothing. */
export const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length

/** The standard deviation of the numbers themselves (over n, not n − 1). */
export const deviation = (xs: readonly number[]): number => {
  const m = mean(xs)
  return Math.sqrt(mean(xs.map((x) => (x - m) ** 2)))
}

/** The middle value; the mean of the two middle ones. NaN of nothing. */
export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** The value below which a share q of all lie, interpolated linearly. NaN of nothing. */
export const quantile = (values: readonly number[], q: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const place = (sorted.length - 1) * q
  const [low, high] = [sorted[Math.floor(place)] ?? NaN, sorted[Math.ceil(place)] ?? NaN]
  return low + (high - low) * (place - Math.floor(place))
}
