/** Public functions without a row in the table of ends, and why. */

/** Functions under another name there. */
export const renamed: Readonly<Record<string, string>> = { attention: 'scaledDotProductAttention' }

const makes = 'makes numbers of a shape alone'

const factors = 'PyTorch refuses a singular matrix; what there is at the ends is in test/tensor/linalg.test.ts'

/** Name → why it has no row. */
export const absent: Readonly<Record<string, string>> = {
  arange: makes,
  charbonnier: 'PyTorch has none; its ends are in test/nn/losses.test.ts',
  cholesky: factors,
  det: factors,
  eye: makes,
  full: makes,
  inverse: factors,
  iota: makes,
  linspace: makes,
  logDet: factors,
  lstsq: factors,
  ones: makes,
  onesLike: makes,
  qr: factors,
  slogDet: factors,
  solve: factors,
  solveTriangular: factors,
  zeros: makes,
  zerosLike: makes,
}
