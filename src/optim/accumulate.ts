/**
 * Gradient accumulation: a large batch as several micro-batches that fit in memory.
 *
 * Two compiled functions share one donated sum: the first k − 1 micro-batches only add their gradients, the last one
 * also steps.
 *
 * ```ts
 * const add = device.compile((sum, params, batch) => accumulate(sum, grad(loss)(params, batch), k), { donate: [0] })
 * const step = device.compile((state, sum, batch) => optimizer.update(accumulate(sum, …, k), …), { donate: [0, 1] })
 * ```
 */
import { zerosLike } from '../tensor/create.ts'
import { widened } from '../tensor/precision.ts'
import { mapTree, zipTrees } from '../tensor/tree.ts'

/**
 * The sum before the first micro-batch: zeros in the structure of the parameters, f32 for f16 ones.
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { emptyAccumulation } from 'fathom/optim'
 *
 * emptyAccumulation({ w: tensor([1, 2]) }).w // => [0, 0]
 * ```
 */
export const emptyAccumulation = <P>(params: P): P => mapTree(params, (p) => zerosLike(widened(p)))

/**
 * The sum with the gradients of one of `count` equal micro-batches added: sum + g / count. After `count` calls it holds
 * the gradient of the mean loss over the whole batch.
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { accumulate, emptyAccumulation } from 'fathom/optim'
 *
 * const none = emptyAccumulation({ w: tensor([7]) })
 * const first = accumulate(none, { w: tensor([2]) }, 2)
 * const both = accumulate(first, { w: tensor([4]) }, 2)
 * both.w // => [3]
 * ```
 */
export const accumulate = <P>(sum: P, gradients: P, count: number): P => {
  if (!(Number.isInteger(count) && count > 0))
    throw new RangeError(`accumulate: ${count} micro-batches; it must be a whole number above 0`)
  return zipTrees(sum, gradients, (s, g) => widened(s).add(widened(g).mul(1 / count)), {
    operation: 'accumulate',
    first: 'the sum',
    second: 'the gradients',
  })
}
