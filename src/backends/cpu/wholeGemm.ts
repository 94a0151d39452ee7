/**
 * Matrix multiplication of whole numbers, which wraps: products and sums are those modulo 2³², whatever their order. A double would hold no
 * product above 2⁵³.
 */
import { isWrapping, type DType } from '../../graph/dtype.ts'
import { gemm, type Gathered, type Target } from './gemm.ts'

/** out = x · y; `x` is [rows, depth], `y` is [depth, columns]. */
const wholeGemm = (out: Target, x: Gathered, y: Gathered): void => {
  for (let m = 0; m < x.rows.length; m++) {
    const row = x.offset + (x.rows[m] as number)
    const to = out.offset + m * out.rowStride
    for (let n = 0; n < y.columns.length; n++) {
      const column = y.offset + (y.columns[n] as number)
      let sum = 0
      for (let k = 0; k < x.columns.length; k++) {
        const product = Math.imul(
          x.array[row + (x.columns[k] as number)] as number,
          y.array[column + (y.rows[k] as number)] as number,
        )
        sum = (sum + product) | 0
      }
      out.array[to + n] = sum
    }
  }
}

/** What multiplies matrices of `from` into one of `to`. */
export const gemmFor = (from: DType, to: DType): typeof gemm => (isWrapping(from, to) ? wholeGemm : gemm)
