/**
 * Fast oracles in f64: Chebyshev interpolants through exact values, for functions that `Math` does not have.
 *
 * A sweep over all f32 asks four billion times; exact arithmetic answers ten thousand times a second. The interpolants are right to
 * 10⁻¹³ (what Clenshaw's recurrence loses at the ends of an interval), 2⁻¹⁹ ulp of an f32; a test compares them with exact arithmetic.
 *
 * Source: Trefethen, "Approximation theory and approximation practice", 2013, chapters 3 and 8.
 */
import { erf as exactErf, erfcx as exactErfcx, normalQuantile as exactQuantile } from './exact.ts'
import { divide, exactly, squareRoot, toNumber } from './real.ts'

/** Σ cⱼ Tⱼ((2x − low − high) / (high − low)). */
interface Interpolant {
  readonly low: number
  readonly high: number
  readonly coefficients: Float64Array
}

/** The polynomial of degree `degree` through f at the Chebyshev points of [low, high]. */
const interpolant = (f: (x: number) => number, low: number, high: number, degree: number): Interpolant => {
  const n = degree + 1
  const angles = Array.from({ length: n }, (_, k) => (Math.PI * (k + 0.5)) / n)
  const values = angles.map((a) => f((low + high) / 2 + ((high - low) / 2) * Math.cos(a)))
  const coefficients = Float64Array.from(
    { length: n },
    (_, j) => ((j === 0 ? 1 : 2) / n) * values.reduce((sum, v, k) => sum + v * Math.cos(j * (angles[k] as number)), 0),
  )
  return { low, high, coefficients }
}

/** Clenshaw's recurrence. */
const evaluate = ({ low, high, coefficients }: Interpolant, x: number): number => {
  const t = (2 * x - low - high) / (high - low)
  let [b, before] = [0, 0]
  for (let j = coefficients.length - 1; j > 0; j--) {
    const next = 2 * t * b - before + (coefficients[j] as number)
    before = b
    b = next
  }
  return t * b - before + (coefficients[0] as number)
}

/** erf(√t) / √t on [0, 1]: an entire function of t, which falls from 2/√π to 0.84. */
const erfRatio = interpolant(
  (t) => {
    const root = squareRoot(exactly(t))
    return toNumber(divide(exactErf(root), root))
  },
  0,
  1,
  18,
)

/** e^(x²) erfc x on [1, 2], [2, 4], [4, 8], [8, 16]. */
const scaledComplements = [1, 2, 4, 8].map((low) =>
  interpolant((x) => toNumber(exactErfcx(exactly(x))), low, 2 * low, 24),
)

/** erfc x for x ≥ 1; below the smallest f32 beyond 16. */
const upperTail = (x: number): number => {
  if (x >= 16) return 0
  return Math.exp(-x * x) * evaluate(scaledComplements[x < 2 ? 0 : x < 4 ? 1 : x < 8 ? 2 : 3] as Interpolant, x)
}

/** erf x. */
export const erf = (x: number): number => {
  const a = Math.abs(x)
  if (a <= 1) return x * evaluate(erfRatio, x * x)
  return Math.sign(x) * (1 - upperTail(a))
}

/** 1 − erf x. */
export const erfc = (x: number): number => (x < 1 ? 1 - erf(x) : upperTail(x))

const octaves = 31

let quantiles: readonly Interpolant[] | undefined

/** Φ⁻¹(p) for p in [2⁻³², ½]: one interpolant an octave; 650 exact values, made when first asked for. */
export const normalQuantile = (p: number): number => {
  quantiles ??= Array.from({ length: octaves }, (_, k) =>
    interpolant((p) => toNumber(exactQuantile(exactly(p))), 2 ** -(k + 2), 2 ** -(k + 1), 20),
  )
  return evaluate(quantiles[Math.max(0, Math.min(octaves - 1, -2 - Math.floor(Math.log2(p))))] as Interpolant, p)
}
