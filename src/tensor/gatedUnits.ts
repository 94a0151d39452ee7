/** Gated linear units: one half of the channels is multiplied by a function of the other. */
import { expectTensor } from './expect.ts'
import { at } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { normalizeAxis, showShape } from '../graph/shape.ts'
import { silu } from './activations.ts'
import { splitInto } from './combine.ts'
import type { Tensor } from './tensor.ts'

/** The two halves of an axis. */
const halves = (who: string, x: Tensor, axis: number): readonly [Tensor, Tensor] => {
  expectTensor(who, x)
  const a = normalizeAxis(who, axis, x.rank)
  if (at(x.shape, a) % 2 !== 0)
    throw new ShapeError(`${who}: axis ${axis} of ${showShape(x.shape)} has no two halves; give an even length`)
  const parts = splitInto(x, 2, a)
  return [at(parts, 0), at(parts, 1)]
}

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
