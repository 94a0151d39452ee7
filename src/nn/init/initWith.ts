/** A model that begins in another way than its layers would. */
import { equalNumbers } from '../../prelude/array.ts'
import { ShapeError } from '../../prelude/errors.ts'
import { showShape } from '../../graph/shape.ts'
import { foldIn } from '../../tensor/random.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { mapTree } from '../../tensor/tree.ts'
import type { Initializer } from '../init.ts'
import type { Module } from '../module.ts'

/** An initializer for the parameter of a path, or undefined for the layer's own. */
export type ChooseInitializer = (path: string, parameter: Tensor) => Initializer | undefined

/**
 * The module, of whose parameters those begin otherwise for which `choose` gives an initializer. Each gets a key of its own, derived from its path.
 *
 * @param choose what a parameter begins with, by its path and what it would be (its shape, say)
 * @throws ShapeError, when the model begins, for an initializer of another shape or dtype
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { linear, sequential } from 'fathom/nn'
 * import { initWith, orthogonal, zeros } from 'fathom/nn/init'
 *
 * const net = initWith(sequential({ first: linear(4, 4), last: linear(4, 2) }), (path, { shape }) =>
 *   path === 'last.weight' ? zeros(shape) : path.endsWith('weight') ? orthogonal(shape) : undefined,
 * )
 * const { first, last } = net.init(key(0))
 * first.weight.square().sum() // => 4.000
 * last.weight // => [[0, 0], [0, 0], [0, 0], [0, 0]]
 * ```
 */
export const initWith = <P, In, Out>(module: Module<P, In, Out>, choose: ChooseInitializer): Module<P, In, Out> => ({
  ...module,
  init: (key) =>
    mapTree(module.init(key), (own, path) => {
      const made = choose(path, own)?.(foldIn(key, path))
      if (made === undefined) return own
      if (!equalNumbers(made.shape, own.shape) || made.dtype !== own.dtype)
        throw new ShapeError(
          `initWith: '${path}' is ${own.dtype}${showShape(own.shape)}, and its initializer makes ${made.dtype}${showShape(made.shape)}`,
        )
      return made
    }),
})
