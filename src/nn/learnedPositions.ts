/** Learned positions, as GPT-2 and ViT have them: a vector for each place, added. */
import { at } from '../prelude/array.ts'
import { gather } from '../tensor/combine.ts'
import { zeros } from '../tensor/create.ts'
import { foldIn } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { nanBeyond, placesFrom, requireRoom } from './cache.ts'
import { normal } from './init.ts'
import type { Module } from './module.ts'
import { requireSequence } from './requireSequence.ts'
import { tensorIn } from './stateScope.ts'

/** weight [length, width]. */
export interface LearnedPositionsParams {
  readonly weight: Tensor
}

/**
 * x + weight[t] at place t: `[N, T, width] → [N, T, width]`, T up to `length`; normal of deviation 0.02 at the start. With a cache the places go on
 * from those before.
 *
 * @throws RangeError for a longer sequence, where the host knows of it; beyond, a device gives NaN
 * @example
 * ```ts
 * import { tensor, zeros } from 'fathom'
 * import { learnedPositions } from 'fathom/nn'
 *
 * const weight = tensor([[1, 2], [3, 4], [5, 6]])
 * learnedPositions(3, 2).apply({ weight }, zeros([1, 2, 2])) // => [[[1, 2], [3, 4]]]
 * learnedPositions(3, 2).apply({ weight }, zeros([1, 4, 2])) // throws RangeError: learnedPositions: there is no room for 4 more tokens …
 * ```
 */
export const learnedPositions = (length: number, width: number): Module<LearnedPositionsParams> => ({
  init: (key) => ({ weight: normal([length, width], 0.02)(foldIn(key, 'weight')) }),
  cache: () => ({ position: zeros([], 'i32') }),
  apply: ({ weight }, x, mode) => {
    requireSequence('learnedPositions', x, at(weight.shape, 1))
    const [rows, count] = [at(weight.shape, 0), at(x.shape, 1)]
    const position = tensorIn(mode?.state?.read(), 'position')
    if (position === undefined) {
      requireRoom('learnedPositions', zeros([], 'i32'), count, rows)
      return x.add(weight.slice([0, count]))
    }
    requireRoom('learnedPositions', position, count, rows)
    mode?.state?.write({ position: position.add(count) })
    return nanBeyond(x.add(gather(weight, placesFrom(position, count))), position, count, rows)
  },
})
