/**
 * The state of a model in a run: a branch of the parameters that no gradient and no optimizer reaches. It lies in checkpoints with them and is averaged
 * as they are, so that averages are evaluated with running statistics of their own.
 */
import { typeError } from '../prelude/errors.ts'
import { isRecord } from '../prelude/record.ts'
import type { ModelState } from '../nn/stateScope.ts'
import { zerosLike } from '../tensor/create.ts'
import { widened } from '../tensor/precision.ts'
import { isDifferentiable, type Tensor } from '../tensor/tensor.ts'
import { mapTree, zipTrees } from '../tensor/tree.ts'

/** The name of the branch, where a loss has one. */
export const branchIn = (loss: unknown): string | undefined =>
  isRecord(loss) && typeof loss['state'] === 'string' ? loss['state'] : undefined

const isUnder = (path: string, branch: string): boolean => path === branch || path.startsWith(`${branch}.`)

/** What the optimizer sees of the parameters: undefined stands in the place of the state. */
export const learnedOf = <P>(params: P, branch: string | undefined): P =>
  branch === undefined ? params : mapTree<P>(params, (x, path) => (isUnder(path, branch) ? undefined : x))

/** The state in the parameters. */
export const stateIn = <P>(params: P, branch: string): ModelState => {
  const state: unknown = isRecord(params) ? params[branch] : undefined
  if (isRecord(state)) return mapTree<unknown, ModelState>(state, (x) => x)
  throw typeError(
    `step: the parameters have no branch '${branch}' for the state: let the task's init give { …, ${branch}: stateOf(model) }`,
  )
}

/** What is learned of the parameters, with a state. */
export const withState = <P>(learned: P, branch: string, state: ModelState): P => ({ ...learned, [branch]: state })

/** As it is summed: whole numbers too, up to 2²⁴. */
const summable = (x: Tensor): Tensor => (isDifferentiable(x) ? widened(x) : x.cast('f32'))

/** The sum before the first part of a step. */
export const emptyState = (state: ModelState): ModelState => mapTree(state, (x) => zerosLike(summable(x)))

const naming = { operation: 'step', first: 'the state', second: 'the next state' }

/** The sum with the state of one of `of` parts added: the mean of their states. */
export const addState = (sum: ModelState, part: ModelState, of: number): ModelState =>
  zipTrees(sum, part, (a, b) => a.add(summable(b).mul(1 / of)), naming)

/** The next state in the dtypes of that before: as it is, or a mean of several. */
export const asState = (next: ModelState, before: ModelState): ModelState =>
  zipTrees(
    before,
    next,
    (a, b) => (a.dtype === b.dtype ? b : (isDifferentiable(a) ? b : b.add(0.5).floor()).cast(a.dtype)),
    naming,
  )
