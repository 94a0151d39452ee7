/** Arrays as rows: the examples of a tree of arrays whose first axes are equally long, chosen by their numbers. */
import { at } from '../../prelude/array.ts'
import { ShapeError, typeError } from '../../prelude/errors.ts'
import { whatIs } from '../../prelude/mistaken.ts'
import { isRecord } from '../../prelude/record.ts'
import { joinPath } from '../../prelude/treePath.ts'
import { allocate, type DType, type TypedArray } from '../../graph/dtype.ts'
import { showShape, type Shape } from '../../graph/shape.ts'
import { tensor } from '../../tensor/create.ts'
import { storedValues } from '../../tensor/known.ts'
import { Tensor } from '../../tensor/tensor.ts'

/** A tree of arrays (typed arrays, of one number an example, and tensors of data, whose first axis are the examples) with tensors of some of the examples. */
export type Rows<T> = T extends Tensor | TypedArray ? Tensor : { readonly [K in keyof T]: Rows<T[K]> }

/** One array, and what a row of it is. */
export interface Source {
  readonly path: string
  readonly values: TypedArray
  readonly shape: Shape
  readonly dtype: DType
}

const isArray = (x: unknown): x is TypedArray => ArrayBuffer.isView(x) && !(x instanceof DataView)

const quoted = (path: string): string => (path === '' ? 'the array' : `'${path}'`)

const ofTensor = (x: Tensor, path: string): Source => {
  const values = storedValues(x)
  if (values === undefined)
    throw typeError(
      `rows: ${quoted(path)} is computed, not data: read it first, as tensor(await device.read(x), { shape: x.shape })`,
    )
  if (x.rank === 0)
    throw new ShapeError(`rows: ${quoted(path)} is a scalar; its first axis must be that of the examples`)
  return { path, values, shape: x.shape, dtype: x.dtype }
}

/** All arrays of a tree, in the order of its keys. */
const sourcesIn = (tree: unknown, path: string): readonly Source[] => {
  if (tree instanceof Tensor) return [ofTensor(tree, path)]
  if (isArray(tree)) return [ofTensor(tensor(tree, { copy: false }), path)]
  if (Array.isArray(tree)) return tree.flatMap((x, i) => sourcesIn(x, joinPath(path, i)))
  if (isRecord(tree)) return Object.entries(tree).flatMap(([key, x]) => sourcesIn(x, joinPath(path, key)))
  throw typeError(
    `rows: ${quoted(path)} is ${whatIs(tree)}; arrays of examples are typed arrays and tensors, in records and lists: tensor(values) makes one of nested lists`,
  )
}

/** The arrays of a tree, and how many examples they have. @throws ShapeError where some have more than others */
export const sourcesOf = (
  arrays: unknown,
): { readonly count: number; readonly sources: ReadonlyMap<string, Source> } => {
  const sources = sourcesIn(arrays, '')
  const [first] = sources
  if (first === undefined) throw new ShapeError('rows: there is no array in the tree')
  const count = at(first.shape, 0)
  const other = sources.find(({ shape }) => shape[0] !== count)
  if (other !== undefined)
    throw new ShapeError(
      `rows: ${quoted(first.path)} is ${showShape(first.shape)} and ${quoted(other.path)} is ${showShape(other.shape)}: their first axes, the examples, must be equally long`,
    )
  return { count, sources: new Map(sources.map((source) => [source.path, source])) }
}

const picked = ({ values, shape: [, ...rest], dtype }: Source, indices: readonly number[]): Tensor => {
  const each = rest.reduce((n, k) => n * k, 1)
  const all = allocate(dtype, indices.length * each)
  indices.forEach((index, i) => {
    all.set(values.subarray(index * each, (index + 1) * each), i * each)
  })
  return tensor(all, { shape: [indices.length, ...rest], dtype, copy: false })
}

/** The tree of rows at `indices`, of fresh tensors. */
export const rowsAt = <T>(arrays: T, sources: ReadonlyMap<string, Source>, indices: readonly number[]): Rows<T> => {
  const build = (tree: unknown, path: string): unknown => {
    const source = sources.get(path)
    if (source !== undefined) return picked(source, indices)
    if (Array.isArray(tree)) return tree.map((x, i) => build(x, joinPath(path, i)))
    if (!isRecord(tree)) return tree
    return Object.fromEntries(Object.entries(tree).map(([key, x]) => [key, build(x, joinPath(path, key))]))
  }
  return build(arrays, '') as Rows<T>
}

/**
 * Some of the examples, in any order, as fresh tensors.
 *
 * @param indices of the examples, from 0
 * @throws RangeError for an index of no example; ShapeError where the arrays are of different numbers of examples
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { takeRows } from 'fathom/data'
 *
 * const data = { x: tensor([[1, 2], [3, 4], [5, 6]]), label: Int32Array.of(0, 1, 2) }
 * takeRows(data, [2, 0]) // => { label: [2, 0], x: [[5, 6], [1, 2]] }
 * ```
 */
export const takeRows = <T>(arrays: T, indices: readonly number[]): Rows<T> => {
  const { count, sources } = sourcesOf(arrays)
  const wrong = indices.find((i) => !(Number.isInteger(i) && i >= 0 && i < count))
  if (wrong !== undefined) throw new RangeError(`takeRows: there is no example ${wrong}; there are ${count}, from 0 on`)
  return rowsAt(arrays, sources, indices)
}
