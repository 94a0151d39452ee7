/**
 * What a model keeps of a sequence that comes in parts: keys and values of attention, and how far it is. It goes through a model as its state
 * does, so that any composed model whose attention is causal continues a sequence without computing its beginning again.
 */
import { typeError } from '../prelude/errors.ts'
import { requireKnown, requireWhole } from '../prelude/options.ts'
import { iota } from '../tensor/create.ts'
import { dynamicUpdateSlice } from '../tensor/dynamicSlice.ts'
import { knownValues } from '../tensor/known.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { AnyModule } from './module.ts'
import type { CacheSize, ModelState } from './stateScope.ts'

/**
 * The cache of a model before the first token, for `applyWithState`: with it a model takes the next tokens of each sequence, one or many, and goes on
 * where it was. Outputs are those of the whole sequence at once. The place is a buffer: a compiled step serves every token.
 *
 * @param size batch: sequences; length: the most tokens of each, the prompt included; dtype: that of keys and values (default f32)
 * @throws TypeError for a model that keeps nothing, as one without causal attention
 * @example
 * ```ts
 * import { key, normal } from 'fathom'
 * import { applyWithState, cacheOf, multiHeadAttention } from 'fathom/nn'
 *
 * const layer = multiHeadAttention(8, { heads: 2, causal: true, positions: 'rotary' })
 * const params = layer.init(key(0))
 * const x = normal(key(1), [1, 5, 8])
 * const [, cache] = applyWithState(layer, params, cacheOf(layer, { batch: 1, length: 16 }), x.slice([], [0, 4])) // the prompt
 * const [last] = applyWithState(layer, params, cache, x.slice([], [4, 5])) // one more token
 * last.sub(layer.apply(params, x).slice([], [4, 5])).abs().max().less(1e-5) // => true
 * ```
 */
export const cacheOf = (module: Pick<AnyModule, 'cache'>, size: CacheSize): ModelState => {
  requireKnown('cacheOf', size, ['batch', 'length', 'dtype'])
  requireWhole('cacheOf', 'batch', size.batch)
  requireWhole('cacheOf', 'length', size.length, 1)
  if (module.cache === undefined)
    throw typeError(
      'cacheOf: the model has no causal attention, and keeps nothing of a sequence: give its attention { causal: true }',
    )
  return module.cache(size)
}

/** i32 [count]: the places of the next tokens. */
export const placesFrom = (position: Tensor, count: number): Tensor => iota([count], 0).add(position)

/** Refuses more tokens than there is room for, where the host knows how far a sequence is. */
export const requireRoom = (who: string, position: Tensor, count: number, length: number): void => {
  const start = knownValues(position)?.[0]
  if ((start ?? 0) + count > length)
    throw new RangeError(
      `${who}: there is no room for ${count} more tokens after ${start ?? 'those before'}: it is for ${length}; give a greater length, to cacheOf if there is a cache`,
    )
}

/** The tensor, or NaN where tokens went beyond the room: a device finds it out, and no later token is taken for an earlier one. */
export const nanBeyond = (x: Tensor, position: Tensor, count: number, length: number): Tensor =>
  position.add(count).greater(length).broadcastTo(x.shape).select(NaN, x)

/** `kept` [N, heads, L, d] with `added` [N, heads, T, d] in the places from `position` on. */
export const withPlaces = (kept: Tensor, added: Tensor, position: Tensor): Tensor =>
  dynamicUpdateSlice(kept, added.cast(kept.dtype), [0, 0, position, 0])
