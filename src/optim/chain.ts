/** Optimizers compose: transforms run one after the other, each with its own state. */
import { whatIs } from '../prelude/mistaken.ts'
import { at } from '../prelude/array.ts'
import { ShapeError, typeError } from '../prelude/errors.ts'
import type { Transform } from './transform.ts'

/**
 * Transforms one after the other, each getting the updates of the one before; the state is the tuple of theirs.
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { chain, clipByGlobalNorm, sgd } from 'fathom/optim'
 *
 * const optimizer = chain(clipByGlobalNorm(1), sgd({ learningRate: 0.1 }))
 * const w = tensor([1, 1])
 * const [updates] = optimizer.update(tensor([3, 4]), optimizer.init(w), w)
 * updates // => [-0.06, -0.08]
 * ```
 */
export const chain = <S extends readonly unknown[]>(
  ...transforms: { readonly [K in keyof S]: Transform<S[K]> }
): Transform<S> => {
  const all: readonly Transform<unknown>[] = transforms
  for (const t of all)
    if (typeof t?.update !== 'function')
      throw typeError(`chain: got ${whatIs(t)} where a transform is expected, such as adam() or clipByGlobalNorm(1)`)
  return {
    init: (params) => all.map((t) => t.init(params)) as unknown as S, // the k-th state is of the k-th transform
    update: (gradients, state, params, given) => {
      if (!Array.isArray(state) || state.length !== all.length)
        throw new ShapeError(
          `chain: the state is ${Array.isArray(state) ? `of ${state.length} transforms` : 'no list'}, and this chain is of ${all.length}; the optimizer's state was made for another optimizer: begin with init(params)`,
        )
      const start: readonly [typeof gradients, readonly unknown[]] = [gradients, []]
      const [updates, states] = all.reduce(([passed, done], t, i) => {
        const [next, after] = t.update(passed, at(state, i), params, given)
        return [next, [...done, after]]
      }, start)
      return [updates, states as unknown as S]
    },
  }
}
