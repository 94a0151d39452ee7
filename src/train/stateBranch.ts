/**
 * The state of a model in a run: it stands beside what is learned, `{ params, modelState }`, and no gradient and no optimizer reaches it. It lies in
 * checkpoints with the parameters and is averaged as they are, so that averages are evaluated with running statistics of their own.
 */
import { typeError } from '../prelude/errors.ts'
import { isRecord } from '../prelude/record.ts'
import type { ModelState } from '../nn/stateScope.ts'
import { zerosLike } from '../tensor/create.ts'
import { widened } from '../tensor/precision.ts'
import { isDifferentiable, type Tensor } from '../tensor/tensor.ts'
import { mapTree, zipTrees } from '../tensor/tree.ts'
import type { LossWithState } from './task.ts'

/** Whether a loss gives a state. */
export const givesState = <P, B, D>(loss: unknown): loss is LossWithState<P, B, D> =>
  isRecord(loss) && 'lossAndState' in loss

const isOfState = (path: string): boolean => path === 'modelState' || path.startsWith('modelState.')

/** What is learned of a model with a state: undefined stands in the place of the state. */
export const withoutState = <P>(variables: P): P =>
  mapTree<P>(variables, (x, path) => (isOfState(path) ? undefined : x))

/** What the optimizer sees of a task's parameters. @param loss of the task */
export const learnedOf = <P>(params: P, loss: unknown): P => (givesState(loss) ? withoutState(params) : params)

/** The state among a task's variables. */
export const stateIn = <P>(variables: P): ModelState => {
  const state: unknown = isRecord(variables) ? variables['modelState'] : undefined
  if (isRecord(state)) return mapTree<unknown, ModelState>(state, (x) => x)
  throw typeError(
    "step: the loss gives a state, and there is none before the first step: let the task's init give { params: model.init(key), modelState: stateOf(model) }",
  )
}

/** What is learned, with a state. */
export const withState = <P>(learned: P, modelState: ModelState): P => ({ ...learned, modelState })

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
