/** Halves computed in f32: 1e-8 is 0 in f16 and 300² is ∞, so sums, squares and small constants need more range than the values. */
import type { Tensor } from './tensor.ts'

/** A half as f32; every other dtype as it is. */
export const widened = (x: Tensor): Tensor => (x.dtype === 'f16' ? x.cast('f32') : x)

/** `f` of halves computed in f32 and rounded once, at the end: a loss of halves overflows in its squares, though its mean may not. */
export const allInSingle = (xs: readonly Tensor[], f: (...xs: readonly Tensor[]) => Tensor): Tensor =>
  xs.some((x) => x.dtype === 'f16') ? f(...xs.map(widened)).cast('f16') : f(...xs)

/** `f` of a half computed in f32 and rounded once, at the end: a sum of halves may be none, and each step would round. */
export const inSingle = (x: Tensor, f: (x: Tensor) => Tensor): Tensor =>
  x.dtype === 'f16' ? f(x.cast('f32')).cast('f16') : f(x)
