/**
 * Modules: a layer is a pair of pure functions, one that makes its parameters and one that applies them.
 *
 * Parameters are plain named trees; their paths name the tensors of a checkpoint. The pair is that of stax (JAX, 2018), with names
 * instead of positions.
 */
import { inScope } from '../graph/scope.ts'
import { foldIn, type Key } from '../tensor/random.ts'
import { typeError } from '../prelude/errors.ts'
import { whatIs } from '../prelude/mistaken.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { asActivation, noteActivations } from './activation.ts'
import { missingParams, ownParams, requireTree } from './foreignParams.ts'
import { childMode, evaluate, type Mode } from './mode.ts'
import type { CacheSize, ModelState, StateEntry } from './stateScope.ts'

export { evaluate, type Mode } from './mode.ts'

/** A layer or a model: how its parameters begin, and what they do to an input. */
export type Module<P, In = Tensor, Out = Tensor> = {
  /** Fresh parameters; nothing is computed until a device is asked to. */
  readonly init: (key: Key) => P
  /** The output for an input. */
  readonly apply: (params: P, input: In, mode?: Mode) => Out
  /** The state before the first pass, of modules that keep values from pass to pass; see `stateOf` and `applyWithState`. */
  readonly state?: (key: Key) => ModelState
  /** What a module keeps of a sequence that comes in parts, before the first of them; see `cacheOf`. */
  readonly cache?: (size: CacheSize) => ModelState
}

/** Any module at all, as a bound of type parameters. */
export type AnyModule = {
  /** As a module's. */
  readonly init: (key: Key) => unknown
  /** As a module's, with parameters and input of any type. */
  readonly apply: (params: never, input: never, mode?: Mode) => unknown
  /** As a module's. */
  readonly state?: (key: Key) => ModelState
  /** As a module's. */
  readonly cache?: (size: CacheSize) => ModelState
}

/** The type of a module's parameters. */
export type ParamsOf<M extends AnyModule> = ReturnType<M['init']>

/** The parameters of a module that has none. */
export type NoParams = Readonly<Record<never, Tensor>>

/**
 * A function as a module without parameters: `lift(silu)`.
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { lift, relu } from 'fathom/nn'
 *
 * lift(relu).apply({}, tensor([-1, 2])) // => [0, 2]
 * ```
 */
export const lift = <In, Out>(fn: (input: In) => Out): Module<NoParams, In, Out> => ({
  init: () => ({}),
  apply: (_, input) => fn(input),
})

/**
 * A tensor that is learned, made by an initializer such as those of `fathom/nn/init`, to be called without an input: `compose({ gain: parameter(…) }, ({ gain }, x: Tensor) => x.mul(gain()))`.
 *
 * @example
 * ```ts
 * import { key, tensor, type Tensor } from 'fathom'
 * import { compose, parameter } from 'fathom/nn'
 * import { ones } from 'fathom/nn/init'
 *
 * const scale = compose({ gain: parameter(ones([2])) }, ({ gain }, x: Tensor) => x.mul(gain()))
 * scale.apply({ gain: tensor([2, 3]) }, tensor([10, 10])) // => [20, 30]
 * scale.init(key(0)).gain // => [1, 1]
 * ```
 */
export const parameter = (init: (key: Key) => Tensor): Module<Tensor, void> => {
  if (typeof init !== 'function')
    throw typeError(
      `parameter: got ${whatIs(init)} where an initializer is expected, a function of a key: ones([64]) of fathom/nn/init is one, and that of fathom is a tensor`,
    )
  return { init, apply: (value) => value }
}

/** What `compose` takes, by name: a module, an array of them, or undefined where this model has none. */
export type Children = { readonly [name: string]: AnyModule | readonly AnyModule[] | undefined }

type BoundOf<M> = M extends AnyModule ? (input: Parameters<M['apply']>[1]) => ReturnType<M['apply']> : undefined

/** The children as the forward function sees them: functions from input to output. */
export type Bound<C extends Children> = {
  readonly [K in keyof C]: C[K] extends readonly (infer M)[] ? readonly BoundOf<M>[] : BoundOf<C[K]>
}

type ParamsOfChild<M> = M extends AnyModule ? ParamsOf<M> : undefined

/** The parameters of a composition: its children's, under their names. */
export type ParamsOfChildren<C extends Children> = {
  readonly [K in keyof C]: C[K] extends readonly (infer M)[] ? readonly ParamsOfChild<M>[] : ParamsOfChild<C[K]>
}

type Child = Children[string]

const isArray = (child: Child): child is readonly AnyModule[] => Array.isArray(child)

/** The record with `f(child, its parameters, its name, its steps)` in place of every module; members of arrays are named `name.0`, `name.1`, … */
const mapChildren = (
  children: Children,
  params: unknown,
  f: (child: AnyModule, params: unknown, name: string, steps: readonly string[]) => unknown,
): unknown => {
  const own = (tree: unknown, name: string | number): unknown =>
    (tree as { readonly [name: string | number]: unknown } | undefined)?.[name]
  const each = (name: string, child: Child): unknown => {
    if (isArray(child)) return child.map((c, i) => f(c, own(own(params, name), i), `${name}.${i}`, [name, String(i)]))
    return child === undefined ? undefined : f(child, own(params, name), name, [name])
  }
  return Object.fromEntries(Object.entries(children).map(([name, child]) => [name, each(name, child)]))
}

const someOf = (child: Child, keeps: (child: AnyModule) => boolean): boolean =>
  isArray(child) ? child.some(keeps) : child !== undefined && keeps(child)

/** What those children that keep something begin with, under their names. */
const keptBy = (
  children: Children,
  keeps: (child: AnyModule) => boolean,
): undefined | ((begin: (child: AnyModule, name: string) => StateEntry) => ModelState) => {
  const keeping: Children = Object.fromEntries(Object.entries(children).filter(([, child]) => someOf(child, keeps)))
  if (Object.keys(keeping).length === 0) return undefined
  return (begin) => mapChildren(keeping, undefined, (child, _, name) => begin(child, name)) as ModelState
}

/** The state and the cache of a composition, where its children have any: those that keep nothing cost nothing. */
const keptOfChildren = (children: Children): Pick<AnyModule, 'state' | 'cache'> => {
  const states = keptBy(children, (child) => child.state !== undefined)
  const caches = keptBy(children, (child) => child.cache !== undefined)
  return {
    ...(states && { state: (key: Key) => states((child, name) => child.state?.(foldIn(key, name))) }),
    ...(caches && { cache: (size: CacheSize) => caches((child) => child.cache?.(size)) }),
  }
}

/** A child as the forward function calls it: errors in it name it, and say when its parameters are another model's. */
const bind = (child: AnyModule, name: string, params: unknown, mode: Mode) => (input: unknown) => {
  const own = ownParams(child, params, name)
  return inScope(name, () => {
    try {
      return (child as unknown as Module<unknown, unknown, unknown>).apply(own, input, mode)
    } catch (e) {
      throw e instanceof TypeError ? (missingParams(child, own) ?? e) : e
    }
  })
}

/**
 * A module made of named children. Their names are said once: they name the parameters, and derive each child's key. The forward function
 * receives the children bound to their parameters and mode, so that it reads like the formula, and last the mode itself:
 *
 *     compose({ norm: rmsNorm(64), conv: conv2d(64, 64, 3, { padding: 1 }) }, ({ norm, conv }, x: Tensor) => conv(norm(x)))
 *
 * A child that is called twice in one forward pass sees the same key both times, and at the second call the state that the first one left.
 *
 * @example
 * ```ts
 * import { key, leavesWithPaths, type Tensor } from 'fathom'
 * import { compose, linear } from 'fathom/nn'
 *
 * const net = compose({ hidden: linear(2, 8), out: linear(8, 1) }, ({ hidden, out }, x: Tensor) => out(hidden(x).tanh()))
 * leavesWithPaths(net.init(key(0))).map(([path]) => path) // => ['hidden.bias', 'hidden.weight', 'out.bias', 'out.weight']
 * ```
 */
export const compose = <const C extends Children, In = Tensor, Out = Tensor>(
  children: C,
  forward: (children: Bound<C>, input: In, mode: Mode) => Out,
): Module<ParamsOfChildren<C>, In, Out> => ({
  // The compiler cannot follow a record through Object.entries; mapChildren keeps its names, and arrays as arrays.
  init: (key) =>
    mapChildren(children, undefined, (child, _, name) =>
      inScope(name, () => child.init(foldIn(key, name))),
    ) as ParamsOfChildren<C>,
  apply: (params, input, mode = evaluate) => {
    requireTree(params)
    const decided = new Set<Tensor>() // a child's result is as the child gives it, also where the module gives it on
    const bound = mapChildren(children, params, (child, own, name, steps) => {
      const call = bind(child, name, own, childMode(mode, name, steps))
      return (x: unknown) => noteActivations(call(x), decided)
    })
    return asActivation(forward(bound as Bound<C>, input, mode), decided)
  },
  ...keptOfChildren(children),
})

/** The type of a module from one tensor to one tensor, whatever its parameters. */
type TensorModule = {
  readonly init: (key: Key) => unknown
  readonly apply: (params: never, input: Tensor, mode?: Mode) => Tensor
}

/**
 * Children applied one after the other, in the order in which they are written.
 *
 * @throws RangeError for a name that is a whole number: JavaScript would move it to the front
 * @example
 * ```ts
 * import { key, zeros } from 'fathom'
 * import { conv2d, lift, relu, sequential } from 'fathom/nn'
 *
 * const net = sequential({ first: conv2d(3, 8, 3), act: lift(relu), second: conv2d(8, 1, 3) })
 * net.apply(net.init(key(0)), zeros([1, 8, 8, 3])).shape // => [1, 4, 4, 1]
 * ```
 */
export const sequential = <const C extends { readonly [name: string]: TensorModule }>(
  children: C,
): Module<ParamsOfChildren<C>> => {
  const number = Object.keys(children).find((name) => /^\d+$/.test(name))
  if (number !== undefined)
    throw new RangeError(
      `sequential: the name '${number}' is a number, and JavaScript would move it to the front: call it 'layer${number}'`,
    )
  const inOrder = (bound: unknown): readonly ((x: Tensor) => Tensor)[] =>
    Object.values(bound as { readonly [name: string]: (x: Tensor) => Tensor })
  return compose(children, (bound, x: Tensor) => inOrder(bound).reduce((y, layer) => layer(y), x))
}
