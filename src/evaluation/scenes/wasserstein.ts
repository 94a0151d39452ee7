/**
 * The Wasserstein-1 distance of two samples on the line: how far mass has to be moved, on average, to turn one histogram
 * into the other. It needs no bins, and has the unit of what is sampled.
 *
 * W₁(F, G) = ∫ |F(x) − G(x)| dx, F and G the samples' cumulative distributions
 * (Vallender 1974, "Calculation of the Wasserstein distance between probability distributions on the line").
 */
import { at } from '../../prelude/array.ts'

/** W₁ of two samples, of any sizes ≥ 1. */
export const wasserstein1 = (xs: readonly number[], ys: readonly number[]): number => {
  // F − G rises by 1/n at each x and falls by 1/m at each y; in between it is constant.
  const jumps = [
    ...xs.map((x) => ({ place: x, by: 1 / xs.length })),
    ...ys.map((y) => ({ place: y, by: -1 / ys.length })),
  ].toSorted((p, q) => p.place - q.place)
  let [area, difference] = [0, 0]
  for (let i = 0; i + 1 < jumps.length; i++) {
    const { place, by } = at(jumps, i)
    difference += by
    area += Math.abs(difference) * (at(jumps, i + 1).place - place)
  }
  return area
}
