/** An optimizer for each of several networks that are trained in one step. */
import { typeError } from '../prelude/errors.ts'
import { whatIs } from '../prelude/mistaken.ts'
import { isRecord } from '../prelude/record.ts'
import { joinPath } from '../prelude/treePath.ts'
import { inParts, type Parting } from './parts.ts'
import type { Transform } from './transform.ts'

/** A tree as its branches, by name. */
const branches: Parting = {
  operation: 'separately',
  partsOf: (tree, what) => {
    if (isRecord(tree)) return new Map(Object.entries(tree))
    throw typeError(`separately: ${what} are ${whatIs(tree)}; they must be a record, with a branch for each network`)
  },
  pathIn: (branch, path) => (path === '' ? branch : joinPath(branch, path)),
}

/**
 * The optimizer with a state of its own for each branch of the tree's top level: nothing that it computes over all that it is given, as a global
 * norm, is computed over more than one of them. So two networks may be trained against one another in one step. For another optimizer by
 * parameter see `partition`.
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
export const separately = <S>(optimizer: Transform<S>): Transform<Readonly<Record<string, S>>> =>
  inParts(branches, () => optimizer)
