/** Which keys a query attends to: masks of true and false, or of what is added to logits, keys that are padding, and causal order. */
import { at } from '../prelude/array.ts'
import { DTypeError, ShapeError } from '../prelude/errors.ts'
import { isFloat } from '../graph/dtype.ts'
import { showShape, type Shape } from '../graph/shape.ts'
import type { Mask } from '../tensor/attend.ts'
import { iota } from '../tensor/create.ts'
import { expectTensor } from '../tensor/expect.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** Masks as an attention layer is given them. True is attended to, as in JAX and in PyTorch's scaled_dot_product_attention. */
export interface Masks {
  /** [T, S], [N, T, S] or [N, heads, T, S]: bool, true where a query attends to a key, or a float, which is added to the logits: −∞ for all keys of a query gives NaN, as in PyTorch. */
  readonly mask?: Tensor | undefined
  /** bool [N, S]: true for the keys that are there, false for padding. */
  readonly keyMask?: Tensor | undefined
}

/** What hides keys: masks, and for causal attention the place of the first query: a number, or i32 []. */
export interface Hiding extends Masks {
  readonly after?: number | Tensor | undefined
}

const describeMask = 'bool, true where a key is attended to, or a float of the dtype of x, which is added to the logits'

/** The mask as [N or 1, heads or 1, T, S]. @param logits [N, heads, T, S] */
const inFour = (who: string, mask: Tensor, logits: Shape): Tensor => {
  expectTensor(`${who}: the mask`, mask)
  const [n = 0, heads = 0, t = 0, s = 0] = logits
  const four = [[1, 1, ...mask.shape], [at([...mask.shape, 0], 0), 1, ...mask.shape.slice(1)], mask.shape][
    mask.rank - 2
  ]
  if (four?.length !== 4 || four.some((size, i) => size !== 1 && size !== logits[i]))
    throw new ShapeError(
      `${who}: takes a mask [${t}, ${s}], [${n}, ${t}, ${s}] or [${n}, ${heads}, ${t}, ${s}], got ${showShape(mask.shape)}`,
    )
  return mask.reshape(four)
}

/** The masks, checked. @param logits [N, heads, T, S] @param dtype of x */
export const checkedMasks = (who: string, { mask, keyMask }: Masks, logits: Shape, dtype: Tensor['dtype']): Masks => {
  const four = mask === undefined ? undefined : inFour(who, mask, logits)
  if (four !== undefined && four.dtype !== 'bool' && !(isFloat(four.dtype) && four.dtype === dtype))
    throw new DTypeError(`${who}: a mask is ${describeMask}; it is ${four.dtype}, and x is ${dtype}`)
  if (keyMask === undefined) return { mask: four }
  expectTensor(`${who}: the keyMask`, keyMask)
  const [n, s] = [at(logits, 0), at(logits, 3)]
  if (keyMask.dtype !== 'bool')
    throw new DTypeError(`${who}: a keyMask is bool, true for keys that are there; it is ${keyMask.dtype}`)
  if (keyMask.rank !== 2 || at(keyMask.shape, 0) !== n || at(keyMask.shape, 1) !== s)
    throw new ShapeError(`${who}: takes a keyMask [${n}, ${s}], got ${showShape(keyMask.shape)}`)
  return { mask: four, keyMask: keyMask.reshape([n, 1, 1, s]) }
}

/** Rows `first` … `first + count` of the third axis, where it has more than one. */
const rowsOf = (mask: Tensor, first: number, count: number): Tensor =>
  at(mask.shape, 2) === 1 ? mask : mask.slice([], [], [first, first + count])

/** [T′, S]: whether key j comes no later than query `first` + i, which has place `after` + `first` + i. */
const notLater = (size: Shape, after: number | Tensor, first: number): Tensor => {
  const place = iota(size, 0)
  const shifted = first === 0 ? place : place.add(first)
  const own = after === 0 ? shifted : shifted.add(after)
  return iota(size, 1).greater(own).not()
}

const both = (a: Tensor | undefined, b: Tensor | undefined): Tensor | undefined =>
  a === undefined ? b : b === undefined ? a : a.and(b)

/** Whether queries see keys, broadcastable to the logits; undefined where all see all. @param size [T′, S] of queries from `first` on */
const seenBy = ({ mask, keyMask, after }: Hiding, size: Shape, first: number): Tensor | undefined => {
  const told = mask?.dtype === 'bool' ? rowsOf(mask, first, at(size, 0)) : undefined
  const causal = after === undefined ? undefined : notLater(size, after, first)
  return both(both(told, keyMask), causal)
}

/** […, 1]: whether a query sees any key. */
const seesAny = (seen: Tensor): Tensor => seen.cast('f32').sum(-1, true).greater(0)

/** Whether a query may be left without a key: causal order alone leaves each its own. */
const mayBlind = ({ mask, keyMask }: Hiding): boolean => mask?.dtype === 'bool' || keyMask !== undefined

/** −∞ in the place of the logits of keys that are hidden. A query that sees none keeps its logits: see {@link zeroWhereBlind}. */
export const hide =
  (hiding: Hiding): Mask =>
  (logits, first) => {
    const { mask } = hiding
    const size = logits.shape.slice(2)
    const biased = mask === undefined || mask.dtype === 'bool' ? logits : logits.add(rowsOf(mask, first, at(size, 0)))
    const seen = seenBy(hiding, size, first)
    if (seen === undefined) return biased
    const left = mayBlind(hiding) ? seen.or(seesAny(seen).not()) : seen
    return left.broadcastTo(logits.shape).select(biased, -Infinity)
  }

/**
 * Zeros for the queries that see no key, a sum over nothing; so has PyTorch's scaled_dot_product_attention it since 2.5, where it was NaN before. No gradient
 * comes from there, where NaN would reach every parameter.
 *
 * @param y [N, heads, T, d] of T queries and `keys` keys
 */
export const zeroWhereBlind = (y: Tensor, hiding: Hiding, keys: number): Tensor => {
  if (!mayBlind(hiding)) return y
  const seen = seenBy(hiding, [at(y.shape, 2), keys], 0)
  return seen === undefined ? y : seesAny(seen).broadcastTo(y.shape).select(y, 0)
}
