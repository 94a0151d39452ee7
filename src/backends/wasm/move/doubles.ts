/** Four lanes of f32 as two vectors of two doubles, and back: sums of f32 are made in them. */
import { apply, type Expression } from '../assembler/code.ts'

const low = [0, 1, 2, 3, 4, 5, 6, 7]
const high = low.map((byte) => byte + 8)

/** The doubles of the first two lanes, or of the last two. */
export const widened = (x: Expression, half: 0 | 1): Expression =>
  apply('f64x2.promote_low_f32x4', [half === 0 ? x : apply('i8x16.shuffle', [x, x], ...high, ...low)])

/** The lanes of two vectors of doubles, each rounded to f32. */
export const narrowed = (x: Expression, y: Expression): Expression => {
  const rounded = (d: Expression): Expression => apply('f32x4.demote_f64x2_zero', [d])
  return apply('i8x16.shuffle', [rounded(x), rounded(y)], ...low, ...low.map((byte) => byte + 16))
}
