/** An optimizer for each of several networks that are trained in one step. */
import { typeError } from '../prelude/errors.ts'
import { whatIs } from '../prelude/mistaken.ts'
import { isRecord } from '../prelude/record.ts'
import { leaves, refill } from '../tensor/tree.ts'
import type { Transform } from './transform.ts'

/** The branches of a tree, by name. */
const branchesOf = (what: string, tree: unknown): Readonly<Record<string, unknown>> => {
  if (isRecord(tree)) return tree
  throw typeError(`separately: ${what} are ${whatIs(tree)}; they must be a record, with a branch for each network`)
}

/**
 * The optimizer with a state of its own for each branch of the tree's top level: nothing that it computes over all that it is given, as a global
 * norm, is computed over more than one of them. So two networks may be trained against one another in one step.
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { chain, clipByGlobalNorm, separately, sgd } from 'fathom/optim'
 *
 * const clipped = chain(clipByGlobalNorm(1), sgd({ learningRate: 1 }))
 * const gradients = { model: tensor([3, 4]), adversary: tensor([0.5]) }
 * const together = clipped.update(gradients, clipped.init(gradients), gradients)[0]
 * together.adversary // => [-0.1]
 * const each = separately(clipped)
 * const [updates] = each.update(gradients, each.init(gradients), gradients)
 * updates // => { adversary: [-0.5], model: [-0.6, -0.8] }
 * ```
 */
export const separately = <S>(optimizer: Transform<S>): Transform<Readonly<Record<string, S>>> => ({
  init: (params) =>
    Object.fromEntries(
      Object.entries(branchesOf('the parameters', params)).map(([name, branch]) => [name, optimizer.init(branch)]),
    ),
  update: <P>(
    gradients: P,
    state: Readonly<Record<string, S>>,
    params: P,
    given?: Parameters<typeof optimizer.update>[3],
  ) => {
    const own = branchesOf('the parameters', params)
    const updated = Object.entries(branchesOf('the gradients', gradients)).map(([name, branch]) => {
      const before = state[name]
      if (before === undefined)
        throw typeError(
          `separately: the optimizer's state has no branch '${name}': begin with init(params) of this model`,
        )
      return [name, optimizer.update(branch, before, own[name], given)] as const
    })
    const byName = Object.fromEntries(updated.map(([name, [updates]]) => [name, updates]))
    return [refill(gradients, leaves(byName)), Object.fromEntries(updated.map(([name, [, next]]) => [name, next]))]
  },
})
