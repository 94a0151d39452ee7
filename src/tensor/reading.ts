/** Reading tensors in other forms than flat typed arrays: nested, one number, whole trees. */
import { ShapeError } from '../prelude/errors.ts'
import type { TypedArray } from '../graph/dtype.ts'
import { showShape } from '../graph/shape.ts'
import { expectTensor } from './expect.ts'
import { nest, type Nested } from './nested.ts'
import type { Tensor } from './tensor.ts'
import { leaves, mapTree } from './tree.ts'

/** Elements as they are read: f16 arrives as f32. */
export type Elements = Exclude<TypedArray, Uint16Array>

/** A tree with the elements of every tensor in its place. */
export type ReadTree<T> = T extends Tensor
  ? Elements
  : T extends object
    ? { readonly [K in keyof T]: ReadTree<T[K]> }
    : T

/** The forms in which a device reads. */
export interface Readings {
  /**
   * The elements in nested arrays, as `tensor` takes them: numbers, or booleans of a bool tensor.
   *
   * @example
   * ```ts
   * import { scalar, tensor } from 'fathom'
   *
   * await device.toArray(tensor([[1, 2], [3, 4]]).mul(10)) // => [[10, 20], [30, 40]]
   * await device.toArray(tensor([1, 5]).greater(2)) // => [false, true]
   * await device.toArray(scalar(7)) // => 7
   * ```
   */
  readonly toArray: (x: Tensor) => Promise<Nested>
  /**
   * The one element of a tensor; of a bool tensor, 1 or 0.
   *
   * @throws ShapeError if there are more elements, or none
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * await device.item(tensor([1, 2, 3]).mean()) // => 2
   * await device.item(tensor([1, 2])) // throws ShapeError: item: takes a tensor of one element, got [2]; …
   * ```
   */
  readonly item: (x: Tensor) => Promise<number>
  /**
   * The tree with the elements of every tensor in its place; what is no tensor stays.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * const x = tensor([1, 2])
   * await device.readTree({ sum: x.sum(), both: [x, x.neg()], step: 7 }) // => { both: [[1, 2], [-1, -2]], step: 7, sum: [3] }
   * ```
   */
  readonly readTree: <T>(tree: T) => Promise<ReadTree<T>>
}

const nested = (x: Tensor, values: Elements): Nested =>
  x.dtype === 'bool' ? nest(x.shape, (i) => values[i] !== 0) : nest(x.shape, (i) => values[i] ?? 0)

/** The readings of a device that computes trees and reads tensors. */
export const readings = (realize: <T>(tree: T) => Promise<T>, read: (x: Tensor) => Promise<Elements>): Readings => ({
  toArray: async (x) => {
    expectTensor('toArray', x)
    return nested(x, await read(x))
  },
  item: async (x) => {
    expectTensor('item', x)
    if (x.size !== 1)
      throw new ShapeError(
        `item: takes a tensor of one element, got ${showShape(x.shape)}; use read or toArray for its elements`,
      )
    return (await read(x))[0] ?? 0
  },
  readTree: async <T>(tree: T): Promise<ReadTree<T>> => {
    const realized = await realize(tree) // in one plan, not one for each leaf
    const found = await Promise.all(leaves(realized).map(read))
    const queue = found.values()
    return mapTree<unknown, ReadTree<T>>(realized, () => queue.next().value)
  },
})
