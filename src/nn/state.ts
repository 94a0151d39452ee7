/**
 * Modules with a state: values that a pass reads and leaves behind, as the running statistics of batch normalisation. They lie in a tree of their
 * own beside the parameters, so that no optimizer sees them, and a pass is a function of them: state in, state out. What flax calls a mutable
 * collection (`batch_stats`), haiku a state, equinox `nn.State`, and PyTorch buffers.
 */
import { typeError } from '../prelude/errors.ts'
import { whatIs } from '../prelude/mistaken.ts'
import { isRecord } from '../prelude/record.ts'
import { key as keyOf, type Key } from '../tensor/random.ts'
import { Tensor } from '../tensor/tensor.ts'
import { zipTrees } from '../tensor/tree.ts'
import { evaluate, type Mode } from './mode.ts'
import type { Module } from './module.ts'
import { rootScope, type ModelState, type StateEntry } from './stateScope.ts'

/** A layer with a state, as {@link stateful} takes it. */
export interface StatefulLayer<P, S, In = Tensor, Out = Tensor> {
  /** What errors call it: `batchNorm`. */
  readonly name: string
  /** As a module's. */
  readonly init: (key: Key) => P
  /** The state before the first pass. */
  readonly state: (key: Key) => S
  /** The output for an input, and the next state, of the same shapes. */
  readonly apply: (params: P, state: S, input: In, mode: Mode) => readonly [Out, S]
}

const howTo = 'const [y, next] = applyWithState(model, params, state, x, mode), where state is stateOf(model) at first'

/** Refuses a state that is none. */
const requireState: (who: string, state: unknown) => asserts state is ModelState = (who, state) => {
  if (!isRecord(state) || state instanceof Tensor || 'then' in state)
    throw typeError(`${who}: a state is a tree of tensors, as stateOf(model) makes it, got ${whatIs(state)}`)
}

/** What lies in the scope of a mode, if it is a state of the layer's. */
const ownState = <P, S, In, Out>({ name, state }: StatefulLayer<P, S, In, Out>, mode: Mode): S => {
  if (mode.state === undefined)
    throw typeError(`${name}: keeps values from pass to pass, and has no place for them: ${howTo}`)
  const found = mode.state.read()
  if (found === undefined)
    throw typeError(
      `${name}: the state has nothing for it: was it made by another model? stateOf(model) makes one; a module of your own passes on that of its child: { init, apply, state: child.state }`,
    )
  const naming = { operation: name, first: 'its own state', second: 'the state that it was given' }
  return zipTrees<S, StateEntry>(state(keyOf(0)), found, (_, x) => x, naming)
}

/**
 * A module with a state of its own, as a pure function of it.
 *
 * @throws TypeError, when it is applied, where there is no place for the state
 * @example
 * ```ts
 * import { scalar, type Tensor } from 'fathom'
 * import { applyWithState, stateful, stateOf } from 'fathom/nn'
 *
 * const counter = stateful({
 *   name: 'counter',
 *   init: () => ({}),
 *   state: () => ({ calls: scalar(0) }),
 *   apply: (_, { calls }, x: Tensor) => [x.add(calls), { calls: calls.add(1) }],
 * })
 * const [first, state] = applyWithState(counter, {}, stateOf(counter), scalar(10))
 * const [second, next] = applyWithState(counter, {}, state, scalar(10))
 * first // => 10
 * second // => 11
 * next // => { calls: 2 }
 * counter.apply({}, scalar(10)) // throws TypeError: counter: keeps values from pass to pass, and has no place for them: …
 * ```
 */
export const stateful = <P, S extends ModelState, In = Tensor, Out = Tensor>(
  layer: StatefulLayer<P, S, In, Out>,
): Module<P, In, Out> => ({
  init: layer.init,
  state: layer.state,
  apply: (params, input, mode = evaluate) => {
    const [output, next] = layer.apply(params, ownState(layer, mode), input, mode)
    mode.state?.write(next)
    return output
  },
})

/**
 * The state of a model before its first pass, under the names of its modules; empty for a model that keeps nothing.
 *
 * @param key of what begins at random, as the vectors of `spectralNorm`
 * @example
 * ```ts
 * import { leavesWithPaths } from 'fathom'
 * import { batchNorm, conv2d, linear, sequential, stateOf } from 'fathom/nn'
 *
 * const model = sequential({ conv: conv2d(3, 2, 3), norm: batchNorm(2) })
 * stateOf(model) // => { norm: { count: 0, mean: [0, 0], variance: [1, 1] } }
 * leavesWithPaths(stateOf(model)).map(([path]) => path) // => ['norm.count', 'norm.mean', 'norm.variance']
 * stateOf(linear(2, 2)) // => {}
 * ```
 */
export const stateOf = (module: { readonly state?: (key: Key) => ModelState }, key: Key = keyOf(0)): ModelState =>
  module.state?.(key) ?? {}

/**
 * The output of a model with a state, and its next state: both functions of what is given, and nothing else. In training the statistics follow
 * the batch; in evaluation the state comes back as it was. Give the state on as `aux` of a loss.
 *
 * @param state of {@link stateOf}, or of the pass before
 * @param mode default `evaluate`
 * @throws TypeError for a state that is not the model's
 * @example
 * ```ts
 * import { key, tensor, valueAndGrad, type Tensor } from 'fathom'
 * import { applyWithState, batchNorm, mse, stateOf, type ModelState, type ParamsOf } from 'fathom/nn'
 *
 * const model = batchNorm(1)
 * const [x, y] = [tensor([[1], [3]]), tensor([[0], [1]])]
 * const loss = (params: ParamsOf<typeof model>, state: ModelState) => {
 *   const [output, next] = applyWithState(model, params, state, x, { train: true, key: key(0) })
 *   return [mse(output, y), next] as const
 * }
 * const [[value, state], gradient] = valueAndGrad(loss, { aux: true })(model.init(key(0)), stateOf(model))
 * state // => { count: 1, mean: [0.2], variance: [1.1] }
 * const [output] = applyWithState(model, model.init(key(0)), state, tensor([[0.2]]))
 * output // => [[0]]
 * ```
 */
export const applyWithState = <P, In, Out>(
  module: Module<P, In, Out>,
  params: P,
  state: ModelState,
  input: In,
  mode: Mode = evaluate,
): readonly [Out, ModelState] => {
  requireState('applyWithState', state)
  const { scope, current } = rootScope(state)
  const output = module.apply(params, input, { ...mode, state: scope })
  const next = current()
  requireState('applyWithState', next)
  return [output, next]
}
