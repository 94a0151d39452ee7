/** Gauss–Legendre quadrature, exact for polynomials up to degree 31 (Golub & Welsch 1969 name the nodes; Newton's method finds them). */
import { range } from '../../prelude/array.ts'

const count = 16

/** P_n(x) and P_{n−1}(x), by Bonnet's recursion. */
const legendre = (x: number): readonly [now: number, before: number] =>
  range(count - 1).reduce<readonly [number, number]>(
    ([now, before], k) => [((2 * k + 3) * x * now - (k + 1) * before) / (k + 2), now],
    [x, 1],
  )

/** P_n′(x) = n·(x·P_n − P_{n−1}) / (x² − 1). */
const slope = (x: number): number => {
  const [now, before] = legendre(x)
  return (count * (x * now - before)) / (x * x - 1)
}

/** Roots of P_n and their weights 2 / ((1 − x²)·P_n′(x)²). */
const nodes: readonly (readonly [x: number, weight: number])[] = range(count).map((i) => {
  const guess = Math.cos((Math.PI * (i + 0.75)) / (count + 0.5))
  const x = range(8).reduce((root) => root - legendre(root)[0] / slope(root), guess)
  return [x, 2 / ((1 - x * x) * slope(x) ** 2)]
})

/** ∫ f from one end to the other. */
export const gaussLegendre = (f: (x: number) => number, from: number, to: number): number => {
  const [middle, half] = [(from + to) / 2, (to - from) / 2]
  return half * nodes.reduce((total, [x, weight]) => total + weight * f(middle + half * x), 0)
}
