/** A table of vectors, one for each class or token. */
import { at } from '../prelude/array.ts'
import { gather } from '../tensor/combine.ts'
import { requireLabels } from '../tensor/labels.ts'
import { foldIn } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { normal } from './init.ts'
import { expectSizes } from './expectSizes.ts'
import type { Module } from './module.ts'

/** weight [count, width]. */
export interface EmbeddingParams {
  readonly weight: Tensor
}

/**
 * The rows of the table at integer indices: `[…] i32 → […, width]`; normal of deviation 1 at the start, as PyTorch. An index outside
 * the table is an error where the host knows it; else it reads NaN, and no neighbour's row.
 *
 * @throws RangeError for an index outside the table whose value is known at the call
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { embedding } from 'fathom/nn'
 *
 * const weight = tensor([[0, 1], [10, 11], [20, 21]])
 * const rows = embedding(3, 2).apply({ weight }, tensor(Int32Array.of(2, 0)))
 * rows // => [[20, 21], [0, 1]]
 * ```
 */
export const embedding = (count: number, width: number): Module<EmbeddingParams> => {
  expectSizes('embedding', { count, width })
  return {
    init: (key) => ({ weight: normal([count, width])(foldIn(key, 'weight')) }),
    apply: ({ weight }, index) => {
      const rows = at(weight.shape, 0)
      requireLabels('embedding', 'index', index, rows)
      const isRow = index.less(0).or(index.less(rows).not()).not()
      return isRow.expandDims(-1).select(gather(weight, index), NaN)
    },
  }
}
