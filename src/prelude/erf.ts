/**
 * The error function in f64, to within 1 ulp: rational approximations on four intervals. An odd function: −0 gives −0.
 *
 * The intervals and their coefficients are those of fdlibm's `s_erf.c` (Sun Microsystems, 1993), where each is derived.
 */

/** P/Q, both by their coefficients from the constant term on. */
interface Rational {
  readonly p: readonly number[]
  readonly q: readonly number[]
}

/** Σ cₖ·xᵏ, by Horner's rule. */
const polynomial = (coefficients: readonly number[], x: number): number =>
  coefficients.reduceRight((sum, c) => c + x * sum, 0)

const quotient = ({ p, q }: Rational, x: number): number => polynomial(p, x) / polynomial(q, x)

/** 2/√π − 1. */
const slopeMinusOne = 1.28379167095512586316e-1

/** erf x / x − 1 on [0, 0.84375], of x². */
const nearZero: Rational = {
  p: [
    1.28379167095512558561e-1, -3.2504210724700149937e-1, -2.84817495755985104766e-2, -5.77027029648944159157e-3,
    -2.37630166566501626084e-5,
  ],
  q: [
    1, 3.97917223959155352819e-1, 6.50222499887672944485e-2, 5.08130628187576562776e-3, 1.32494738004321644526e-4,
    -3.9602282787753681232e-6,
  ],
}

/** erf(1 + s) − {@link middle} on [0.84375, 1.25], of s. */
const nearOne: Rational = {
  p: [
    -2.36211856075265944077e-3, 4.14856118683748331666e-1, -3.72207876035701323847e-1, 3.18346619901161753674e-1,
    -1.10894694282396677476e-1, 3.54783043256182359371e-2, -2.166375594868790843e-3,
  ],
  q: [
    1, 1.06420880400844228286e-1, 5.40397917702171048937e-1, 7.18286544141962662868e-2, 1.26171219808761642112e-1,
    1.36370839120290507362e-2, 1.1984499846799107417e-2,
  ],
}

/** About erf 1, in few bits. */
const middle = 8.45062911510467529297e-1

/** R on [1.25, 1/0.35], of 1/x². */
const tailBelow: Rational = {
  p: [
    -9.86494403484714822705e-3, -6.93858572707181764372e-1, -1.05586262253232909814e1, -6.23753324503260060396e1,
    -1.62396669462573470355e2, -1.84605092906711035994e2, -8.12874355063065934246e1, -9.81432934416914548592,
  ],
  q: [
    1, 1.96512716674392571292e1, 1.376577541435190426e2, 4.34565877475229228821e2, 6.45387271733267880336e2,
    4.29008140027567833386e2, 1.08635005541779435134e2, 6.57024977031928170135, -6.04244152148580987438e-2,
  ],
}

/** R on [1/0.35, 6], of 1/x². */
const tailAbove: Rational = {
  p: [
    -9.86494292470009928597e-3, -7.99283237680523006574e-1, -1.77579549177547519889e1, -1.60636384855821916062e2,
    -6.37566443368389627722e2, -1.02509513161107724954e3, -4.83519191608651397019e2,
  ],
  q: [
    1, 3.03380607434824582924e1, 3.25792512996573918826e2, 1.53672958608443695994e3, 3.19985821950859553908e3,
    2.55305040643316442583e3, 4.74528541206955367215e2, -2.24409524465858183362e1,
  ],
}

/** 1 − erf x for x in [1.25, 6]: e^(−x² − 0.5625 + R(1/x²)) / x. x is split so that the square of its larger part is exact. */
const upperTail = (x: number): number => {
  const z = Math.fround(x)
  const correction = quotient(x < 1 / 0.35 ? tailBelow : tailAbove, 1 / (x * x))
  return (Math.exp(-z * z - 0.5625) * Math.exp((z - x) * (z + x) + correction)) / x
}

/** erf x. */
export const erf = (x: number): number => {
  const a = Math.abs(x)
  if (a < 0.84375) return a < 2 ** -28 ? x + slopeMinusOne * x : x + x * quotient(nearZero, x * x)
  if (Number.isNaN(x)) return NaN
  const y = a < 1.25 ? middle + quotient(nearOne, a - 1) : a < 6 ? 1 - upperTail(a) : 1
  return x < 0 ? -y : y
}
