/** Gated linear units: one half of the channels is multiplied by a function of the other. */
import { silu } from './activations.ts'
import { halves } from './halves.ts'
import type { Tensor } from './tensor.ts'

/**
 * a·σ(b), a the first half of `axis` and b the second (Dauphin et al. 2017): `[…, 2C] → […, C]`.
 *
 * @throws ShapeError for an odd length
 * @example
 * ```ts
 * import { glu, tensor } from 'fathom'
 *
 * glu(tensor([4, 6, 0, 100])) // => [2, 6]
 * glu(tensor([1, 2, 3])) // throws ShapeError: glu: axis -1 of [3] has no two halves; give an even length
 * ```
 */
export const glu = (x: Tensor, axis = -1): Tensor => {
  const [a, b] = halves('glu', x, axis)
  return a.mul(b.sigmoid())
}

/**
 * silu(a)·b, a the first half of `axis` and b the second (Shazeer 2020, eq. 5): `[…, 2C] → […, C]`, the gate of LLaMA's feed-forward layers.
 *
 * @throws ShapeError for an odd length
 * @example
 * ```ts
 * import { swiglu, tensor } from 'fathom'
 *
 * swiglu(tensor([0, 100, 5, 7])) // => [0, 700]
 * ```
 */
export const swiglu = (x: Tensor, axis = -1): Tensor => {
  const [a, b] = halves('swiglu', x, axis)
  return silu(a).mul(b)
}
