/**
 * Gradient transforms: an optimizer is a pure `init` and `update`, and optimizers compose by `chain`.
 *
 * The state is a pytree of tensors, never a number, so that a compiled step takes it as buffers and may donate it.
 * Moments and updates of f16 parameters are f32: ε = 1e-8 is 0 in f16, and so is most of what a step changes;
 * `applyUpdates` rounds once.
 * Source: the interface is optax's (DeepMind 2020).
 */
import type { Tensor } from '../tensor/tensor.ts'
import { widened } from '../tensor/precision.ts'
import { zipTrees, type Naming } from '../tensor/tree.ts'

/** A tree of tensors with the structure of the parameters; which structure that is, the transform does not know. */
export type Tree = unknown

/**
 * What the caller decides anew at each step. Pass tensors (`scalar(schedule(step))`): a number becomes part of the
 * program.
 */
export interface UpdateOptions {
  /** Takes the place of the optimizer's own learning rate; a tensor of no axes. */
  readonly learningRate?: Tensor | number
}

/** A step of an optimizer: from gradients to what is added to the parameters. */
export interface Transform<S> {
  /** The state before the first step, for parameters of this structure. */
  readonly init: <P>(params: P) => S
  /**
   * The updates, in the structure of the gradients (f32 for f16 ones), and the next state.
   *
   * @throws ShapeError for a state or parameters that are not of the gradients' structure and shapes
   */
  readonly update: <P>(gradients: P, state: S, params: P, given?: UpdateOptions) => readonly [updates: P, state: S]
}

/** The state of a transform that has none. */
export type Stateless = Readonly<Record<never, never>>

/**
 * A map of updates, without a state, as a transform.
 *
 * @example
 * ```ts
 * import { mapTree, tensor } from 'fathom'
 * import { stateless } from 'fathom/optim'
 *
 * const signOnly = stateless((updates) => mapTree(updates, (u) => u.greater(0).select(u.operand(1), -1)))
 * const g = { w: tensor([-3, 0.2]) }
 * signOnly.update(g, signOnly.init(g), g)[0].w // => [-1, 1]
 * ```
 */
export const stateless = (map: <P>(updates: P, params: P, given: UpdateOptions) => P): Transform<Stateless> => ({
  init: () => ({}),
  update: (gradients, state, params, given = {}) => [map(gradients, params, given), state],
})

/**
 * `first`, and then a map without a state: the state is that of `first`.
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { descent, followedBy, scaleByAdam } from 'fathom/optim'
 *
 * const adam = followedBy(scaleByAdam(), descent(0.1))
 * const g = tensor([4, -4])
 * const [updates] = adam.update(g, adam.init(g), g)
 * updates // => [-0.1, 0.1]
 * ```
 */
export const followedBy = <S>(first: Transform<S>, second: Transform<Stateless>): Transform<S> => ({
  init: first.init,
  update: (gradients, state, params, given) => {
    const [updates, next] = first.update(gradients, state, params, given)
    return [second.update(updates, {}, params, given)[0], next]
  },
})

/** What the gradients and the state of an optimizer are called where they differ. */
const ofState = (operation: string): Naming => ({
  operation,
  first: 'the gradients',
  second: "the optimizer's state",
  remedy:
    "the optimizer's state was made for other parameters: begin with init(params), or load the state of this model",
})

/**
 * `f` of the leaves that stand at one place in the gradients and in a state, in the structure of the first.
 *
 * @param operation whose state it is: the beginning of the message
 * @throws ShapeError if structures or shapes differ
 */
export const zipState = <P>(
  operation: string,
  gradients: P,
  state: Tree,
  f: (g: Tensor, s: Tensor, path: string) => Tensor,
): P => zipTrees<P, Tree>(gradients, state, f, ofState(operation))

/**
 * The parameters after a step: params + updates, leaf by leaf, in the dtype of the parameters.
 *
 * @throws ShapeError where the updates are of other parameters
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { applyUpdates } from 'fathom/optim'
 *
 * applyUpdates({ w: tensor([1, 2]) }, { w: tensor([0.5, -0.5]) }).w // => [1.5, 1.5]
 * ```
 */
export const applyUpdates = <P>(params: P, updates: P): P =>
  zipTrees(params, updates, (p, u) => widened(p).add(widened(u)).cast(p.dtype), {
    operation: 'applyUpdates',
    first: 'the parameters',
    second: 'the updates',
  })
