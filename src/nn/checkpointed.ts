/** A module whose values are computed again in the backward pass instead of being kept for it. */
import { checkpoint } from '../tensor/annotate.ts'
import { evaluate } from './mode.ts'
import type { Module } from './module.ts'
import { rootScope, type StateEntry } from './stateScope.ts'

/**
 * The module with its intermediate values recomputed in the backward pass (Chen et al. 2016, "Training deep nets with sublinear memory
 * cost"): parameters, values and gradients stay as they are, bit for bit; of the module, only the inputs wait in memory. It costs one
 * more forward pass of the module.
 *
 *     checkpointed(resBlock(64, 64, 256))
 *
 * @example
 * ```ts
 * import { grad, key, ones, type Tensor } from 'fathom'
 * import { checkpointed, linear } from 'fathom/nn'
 *
 * const layer = linear(2, 1)
 * const params = layer.init(key(0))
 * const slope = (module: typeof layer) => grad((p: typeof params) => module.apply(p, ones([3, 2])).sum())(params).weight
 * slope(layer) // => [[3], [3]]
 * slope(checkpointed(layer)) // => [[3], [3]]
 * ```
 */
export const checkpointed = <P, In, Out>(module: Module<P, In, Out>): Module<P, In, Out> => ({
  ...module,
  apply: (params, input, mode) => {
    const scope = mode?.state
    if (scope?.read() === undefined) return checkpoint((p: P, x: In) => module.apply(p, x, mode))(params, input)
    // The state goes in and comes out as a value: what is computed again writes nowhere.
    const withState = checkpoint((p: P, x: In, s: StateEntry) => {
      const own = rootScope(s)
      return [module.apply(p, x, { ...evaluate, ...mode, state: own.scope }), own.current()] as const
    })
    const [output, next] = withState(params, input, scope.read())
    scope.write(next)
    return output
  },
})
