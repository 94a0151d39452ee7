/**
 * Coefficients of the functions of f32, from the highest degree down, and the constants that split their arguments: one table for every backend
 * that computes them itself. All are f32 numbers, printed as their sources print them; sin's and cos's are f64.
 */

/** (eʳ − 1 − r) / r² for |r| ≤ ½ ln 2: Cephes' expf.c (Moshier). */
export const expPolynomial: readonly number[] = [
  1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1,
]

/** ln 2 in two parts, of which the first has nine bits, so that its products with whole numbers below 2¹⁵ are exact: Cephes' expf.c. */
export const expLn2: { readonly high: number; readonly low: number } = { high: 0.693359375, low: -2.1219444e-4 }

/** R(z) / z with z = s², where ln(1 + f) = f − (f²/2 − s·(f²/2 + R)) and s = f / (2 + f), for √½ ≤ 1 + f < √2: FreeBSD's e_logf.c. */
export const logPolynomial: readonly number[] = [0.24279078841, 0.28498786688, 0.40000972152, 0.66666662693]

/** ln 2 in two parts, of which the first has sixteen bits: FreeBSD's e_logf.c. */
export const logLn2: { readonly high: number; readonly low: number } = { high: 0.69313812256, low: 9.0580006145e-6 }

/** (tanh x / x − 1) / x² of x², for |x| ≤ {@link tanhSplit}: Cephes' tanhf.c (Moshier). */
export const tanhPolynomial: readonly number[] = [
  -5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1,
]

/** Up to here tanh is its polynomial, then 1 − 2 / (e^(2|x|) + 1): Cephes' tanhf.c. */
export const tanhSplit = 0.625

/** erf x / x − 1 of x², for |x| ≤ {@link erfSplit}: Juffa's erff (2017). */
export const erfPolynomial: readonly number[] = [
  -5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1,
]

/** R of erf x = 1 − e^(R(x)·x − x), for {@link erfSplit} < x ≤ 4; from 4 on erf is 1 in f32: Juffa's erff (2017). */
export const erfTail: readonly number[] = [
  -1.7285347e-5, 3.83197126e-4, -3.88396438e-3, 2.42546219e-2, -1.06777877e-1, -6.34846687e-1, -1.28717512e-1,
]

/** Up to here erf is its polynomial, then the exponential of its tail: Juffa's erff (2017). */
export const erfSplit = 0.927734375

/** (sin r / r − 1) / r² of r², for |r| ≤ π/4: FreeBSD's k_sinf.c. */
export const sinPolynomial: readonly number[] = [
  0.0000027183114939898219064, -0.000198393348360966317347, 0.0083333293858894631756, -0.166666666416265235595,
]

/** cos r of r², for |r| ≤ π/4: FreeBSD's k_cosf.c. */
export const cosPolynomial: readonly number[] = [
  0.0000243904487962774090654, -0.00138867637746099294692, 0.0416666233237390631894, -0.49999999725103100312, 1,
]
