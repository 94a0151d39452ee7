/** Numbers and polynomials as WGSL text. */

/** The f32 nearest to x, with all the digits that it needs. */
export const number = (x: number): string => {
  const text = String(Math.fround(x))
  return /[.e]/.test(text) ? text : `${text}.0`
}

/** Σ cₖ·xᵏ by Horner's rule, from the highest degree. */
export const polynomial = (x: string, coefficients: readonly number[]): string =>
  coefficients.slice(1).reduce((sum, c) => `(${sum} * ${x} + ${number(c)})`, number(coefficients[0] ?? 0))
