/** Linear algebra over the last two axes: factors, systems, determinants, each with the derivative of its formula. */
export { cholesky } from './cholesky.ts'
export { det, logDet, slogDet, type SignedLog } from './determinant.ts'
export { lstsq, qr, type QR } from './qr.ts'
export { inverse, solve } from './solve.ts'
export { solveTriangular, type TriangularOptions } from './solveTriangular.ts'
