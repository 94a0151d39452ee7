/**
 * Another optimizer by parameter: Muon for matrices and Adam for the rest, other rates by layer, layers that stay as they are.
 *
 * Source: `optax.multi_transform` and `optax.masked` (DeepMind 2020); they are PyTorch's parameter groups.
 */
import { ShapeError } from '../prelude/errors.ts'
import { valueAt } from '../prelude/map.ts'
import { requireNotNegative } from '../prelude/options.ts'
import { widened } from '../tensor/precision.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { leavesWithPaths, mapTree, zipTrees } from '../tensor/tree.ts'
import { nothing } from './applyIfFinite.ts'
import { inParts, type Parting } from './parts.ts'
import { stateless, type Stateless, type Transform } from './transform.ts'

/** What a parameter is sorted by: its path and itself. */
export type ByParameter<A> = (path: string, parameter: Tensor) => A

/** Parameters sorted under names, each part a record of its leaves by their paths in the tree. */
const sorted = (names: readonly string[], nameOf: ByParameter<string>): Parting => ({
  operation: 'partition',
  pathIn: (_, path) => path,
  partsOf: (tree, what, params) => {
    const found = new Map(names.map((name): [string, Record<string, Tensor>] => [name, {}]))
    const theirs = new Map(leavesWithPaths(params))
    for (const [path, leaf] of leavesWithPaths(tree)) {
      const parameter = theirs.get(path)
      if (parameter === undefined) throw new ShapeError(`partition: '${path}' is in ${what} and not in the parameters`)
      const name = nameOf(path, parameter)
      const part = found.get(name)
      if (part === undefined)
        throw new RangeError(
          `partition: '${path}' is given the name '${name}', and the transforms are ${names.join(', ')}`,
        )
      part[path] = leaf
    }
    return found
  },
})

/**
 * One transform for some parameters, another for others, in one step. Each sees only its own: a global norm is of those, and its state holds those
 * (`state.muon.velocity` is a record by path).
 *
 * @param transforms by name
 * @param nameOf which of them a parameter is given to, by its path and itself
 * @throws RangeError for a name that is none of the transforms'
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { adamW, frozen, partition, sgd } from 'fathom/optim'
 *
 * const optimizer = partition(
 *   { body: adamW({ learningRate: 0.01, weightDecay: 0 }), head: sgd({ learningRate: 1 }), fixed: frozen() },
 *   (path, p) => (path.startsWith('head') ? 'head' : p.rank > 1 ? 'body' : 'fixed'),
 * )
 * const params = { body: { bias: tensor([1]), weight: tensor([[4]]) }, head: tensor([2]) }
 * const [updates] = optimizer.update(params, optimizer.init(params), params)
 * updates.head // => [-2]
 * updates.body.weight // => [[-0.01]]
 * params.body.bias.add(updates.body.bias) // => [1]
 * ```
 */
export const partition = <S extends Readonly<Record<string, unknown>>>(
  transforms: { readonly [K in keyof S]: Transform<S[K]> },
  nameOf: ByParameter<keyof S & string>,
): Transform<S> => {
  const byName = new Map(Object.entries(transforms)) as unknown as ReadonlyMap<string, Transform<unknown>>
  const names = [...byName.keys()]
  const parts = inParts(sorted(names, nameOf), (name) => valueAt(byName, name))
  return parts as unknown as Transform<S> // the state under a name is of the transform under that name
}

/**
 * u → 0: parameters that stay as they are, bit for bit, whatever their gradients; for {@link partition} and {@link masked}.
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { frozen } from 'fathom/optim'
 *
 * const w = tensor([1, -2])
 * w.add(frozen().update(tensor([NaN, 3]), {}, w)[0]) // => [1, -2]
 * ```
 */
export const frozen = (): Transform<Stateless> => stateless((updates) => mapTree(updates, (u) => nothing(widened(u))))

/**
 * The transform for those parameters that `applies` chooses; the updates of the others pass as they are.
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { chain, frozen, masked, sgd } from 'fathom/optim'
 *
 * const optimizer = chain(sgd({ learningRate: 1 }), masked(frozen(), (path) => path === 'encoder'))
 * const g = { decoder: tensor([1]), encoder: tensor([2]) }
 * const [updates] = optimizer.update(g, optimizer.init(g), g)
 * g.decoder.add(updates.decoder) // => [0]
 * g.encoder.add(updates.encoder) // => [2]
 * ```
 */
export const masked = <S>(
  transform: Transform<S>,
  applies: ByParameter<boolean>,
): Transform<{ readonly applied: S; readonly passed: Stateless }> =>
  partition({ applied: transform, passed: stateless((updates) => updates) }, (path, p) =>
    applies(path, p) ? 'applied' : 'passed',
  )

/**
 * u → c·u: rates that differ by layer, as multiples of the one learning rate. It stands behind the optimizer.
 *
 * @param factor c ≥ 0 of all, or by path and parameter
 * @throws RangeError for a factor that is negative or not finite
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { chain, scaleUpdates, sgd } from 'fathom/optim'
 *
 * const slower = scaleUpdates((path) => (path.startsWith('head') ? 1 : 0.1))
 * const optimizer = chain(sgd({ learningRate: 1 }), slower)
 * const g = { body: tensor([1]), head: tensor([1]) }
 * optimizer.update(g, optimizer.init(g), g)[0] // => { body: [-0.1], head: [-1] }
 * ```
 */
export const scaleUpdates = (factor: number | ByParameter<number>): Transform<Stateless> => {
  if (typeof factor === 'number') requireNotNegative('scaleUpdates', 'the factor', factor)
  const factorOf: ByParameter<number> = typeof factor === 'number' ? () => factor : factor
  const scaled = (u: Tensor, p: Tensor, path: string): Tensor => {
    const c = factorOf(path, p)
    requireNotNegative('scaleUpdates', `the factor of '${path}'`, c)
    return widened(u).mul(c)
  }
  return stateless((updates, params) =>
    zipTrees(updates, params, scaled, { operation: 'scaleUpdates', first: 'the updates', second: 'the parameters' }),
  )
}
