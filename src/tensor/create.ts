/**
 * Making tensors from numbers.
 *
 * `tensor` and `scalar` are data: they enter a plan as buffers, so that new values run an old plan. `constant`, `zeros`, `full` and
 * `iota` are part of the program: a plan holds them, and another value is another program.
 */
import { expectTensor } from './expect.ts'
import { requireLabels } from './labels.ts'
import { requireKnown } from '../prelude/options.ts'
import { range } from '../prelude/array.ts'
import { DTypeError, ShapeError, typeError } from '../prelude/errors.ts'
import { notATensor } from '../prelude/mistaken.ts'
import { allocate, isFloat, requireKnownDType, type DType, type TypedArray } from '../graph/dtype.ts'
import { encodeHalf } from '../graph/half.ts'
import { makeNode } from '../graph/node.ts'
import { dataOrigin, noteData } from '../graph/origin.ts'
import { normalizeAxis, requireWholeShape, showShape, sizeOf, type Shape } from '../graph/shape.ts'
import { fullNode } from './broadcast.ts'
import { Tensor } from './tensor.ts'

/** Numbers or booleans in nested arrays, all rows of a level equally long; or a flat typed array. */
export type Values = number | boolean | readonly Values[] | TypedArray | Uint8ClampedArray

/** The shape and dtype to give to values; by default the nesting's shape and f32, or bool for booleans. */
export interface Layout {
  readonly shape?: Shape
  readonly dtype?: DType
  /**
   * Whether a typed array is copied (default), so that its owner may write to it again. With `false` the tensor uses it as it is: whoever gives
   * it must not write to it afterwards, and saves a copy of what is large.
   */
  readonly copy?: boolean
}

const dtypeOf = (values: TypedArray): DType => {
  if (values instanceof Float64Array) return 'f64'
  if (values instanceof Int32Array) return 'i32'
  if (values instanceof Uint32Array) return 'u32'
  if (values instanceof Uint8Array) return 'u8'
  return values instanceof Uint16Array ? 'f16' : 'f32'
}

const storages = [Float32Array, Float64Array, Int32Array, Uint32Array, Uint8Array, Uint16Array] as const

/** A typed array that a dtype is stored as; the pixels of a canvas are u8 by another name. */
const storageOf = (values: ArrayBufferView): TypedArray => {
  if (values instanceof Uint8ClampedArray) return new Uint8Array(values.buffer, values.byteOffset, values.length)
  const Storage = storages.find((Storage) => values instanceof Storage)
  if (Storage !== undefined && values instanceof Storage) return values
  const isBig = values instanceof BigInt64Array || values instanceof BigUint64Array
  const remedy = isBig ? 'Int32Array.from(values, Number)' : 'Int32Array.from(values), or Float32Array.from(values)'
  throw new DTypeError(
    `tensor: no dtype is stored as ${values.constructor.name}: take Float32Array (f32), Float64Array (f64), Int32Array (i32), Uint32Array (u32), Uint8Array (u8, bool) or Uint16Array (the bits of f16), as ${remedy}`,
  )
}

const isScalar = (x: unknown): x is number | boolean => typeof x === 'number' || typeof x === 'boolean'

const isRow = (x: Values): x is readonly Values[] => Array.isArray(x)

/** A typed array is a row of numbers, wherever it stands. */
const asRow = (values: Values): readonly Values[] | undefined =>
  isRow(values) ? values : ArrayBuffer.isView(values) ? Array.from(storageOf(values)) : undefined

const nestedShape = (values: Values): Shape => {
  const row = asRow(values)
  if (row === undefined) return []
  const [first] = row
  return first === undefined ? [row.length] : [row.length, ...nestedShape(first)]
}

const refuse = (values: unknown, index: readonly number[]): never => {
  if (values instanceof Tensor)
    throw typeError(
      `tensor: got a tensor at ${showShape(index)} where a number is expected: stack([…]) puts tensors together`,
    )
  throw notATensor(index.length === 0 ? 'tensor' : `tensor, at ${showShape(index)}`, values, 'a number')
}

const flatten = (values: Values, shape: Shape, index: readonly number[] = []): readonly (number | boolean)[] => {
  const row = asRow(values)
  if (row === undefined) {
    if (!isScalar(values)) return refuse(values, index)
    if (shape.length > 0) throw new ShapeError(`tensor: a number stands where a row of ${showShape(shape)} is expected`)
    return [values]
  }
  if (shape.length === 0) throw new ShapeError(`tensor: a row of ${row.length} stands where a number is expected`)
  if (row.length !== shape[0])
    throw new ShapeError(`tensor: rows have different lengths: ${row.length} where ${shape[0]} is expected`)
  return shape.length === 1 && row.every(isScalar)
    ? row
    : Array.from(row).flatMap((v, i) => flatten(v, shape.slice(1), [...index, i]))
}

/** Values as a leaf has them. */
interface Typed {
  readonly values: TypedArray
  readonly shape: Shape
  readonly dtype: DType
}

/** A typed array, copied unless that is not wanted, where the dtype is stored so; else its numbers. */
const fromTypedArray = (values: TypedArray, { shape, dtype, copy = true }: Layout): Typed => {
  const full = { values, shape: shape ?? [values.length], dtype: dtype ?? dtypeOf(values) }
  const isBool = full.dtype === 'bool' && values instanceof Uint8Array && values.every((x) => x <= 1)
  if (full.dtype !== dtypeOf(values) && !isBool) return fromNested(Array.from(values), full)
  return check({ ...full, values: copy ? values.slice() : values })
}

/** Numbers in nested arrays as elements of a dtype. */
const fromNested = (given: Values, { shape, dtype }: Layout): Typed => {
  const nested = nestedShape(given)
  const flat = flatten(given, nested)
  const to = dtype ?? (flat.length > 0 && flat.every((x) => typeof x === 'boolean') ? 'bool' : 'f32')
  const typed = allocate(to, flat.length)
  flat.forEach((value, i) => {
    const x = Number(value)
    typed[i] = to === 'f16' ? encodeHalf(x) : to === 'bool' ? Number(x !== 0) : x
  })
  return check({ values: typed, shape: shape ?? nested, dtype: to })
}

const toTyped = (who: string, given: Values, layout: Layout): Typed => {
  requireKnown(who, layout, ['shape', 'dtype', 'copy'])
  if (layout.dtype !== undefined) requireKnownDType(layout.dtype)
  if (layout.shape !== undefined) requireWholeShape(layout.shape)
  return ArrayBuffer.isView(given) ? fromTypedArray(storageOf(given), layout) : fromNested(given, layout)
}

const check = <T extends { readonly values: TypedArray; readonly shape: Shape }>(t: T): T => {
  if (sizeOf(t.shape) !== t.values.length)
    throw new ShapeError(`tensor: ${t.values.length} values do not fill ${showShape(t.shape)}`)
  return t
}

/**
 * A tensor of data. A typed array is copied, unless `copy` is false; nested arrays become `dtype` (default f32). A `Uint16Array` holds the bits of
 * f16, unless `dtype` names another: then its numbers. What is made inside a compiled function is part of it, as a constant is.
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 *
 * tensor([[1, 2, 3], [4, 5, 6]]).shape // => [2, 3]
 * tensor([1, 2.5], { dtype: 'f64' }) // => [1, 2.5]
 * tensor([true, false]).dtype // => 'bool'
 * tensor(new Int32Array([1, 2, 3, 4]), { shape: [2, 2] }).dtype // => 'i32'
 * tensor([[1, 2], [3]]) // throws ShapeError: tensor: rows have different lengths: 1 where 2 is expected
 * ```
 */
export const tensor = (values: Values, layout: Layout = {}): Tensor => {
  const t = toTyped('tensor', values, layout)
  const node = makeNode('buffer', { source: { kind: 'host', values: t.values }, shape: t.shape, dtype: t.dtype }, [])
  noteData(node, dataOrigin(tensor))
  return new Tensor(node)
}

/**
 * A tensor of one element and no axes, as data: a learning rate, a step number.
 *
 * @example
 * ```ts
 * import { scalar, type Tensor } from 'fathom'
 *
 * const step = device.compile((w: Tensor, rate: Tensor) => w.sub(rate))
 * await step(scalar(1), scalar(0.25)) // => 0.75
 * await step(scalar(1), scalar(0.5)) // => 0.5
 * ```
 */
export const scalar = (value: number, dtype: DType = 'f32'): Tensor => tensor(value, { dtype })

/**
 * Values that are part of the program: tables of a schedule, fixed filters. Plans hold them.
 *
 * @example
 * ```ts
 * import { constant, tensor, type Tensor } from 'fathom'
 *
 * const blur = device.compile((x: Tensor) => x.mul(constant([0.25, 0.5, 0.25])).sum()) // tensor() would throw here
 * await blur(tensor([4, 8, 12])) // => 8
 * ```
 */
export const constant = (values: Values, layout: Layout = {}): Tensor => {
  const t = toTyped('constant', values, layout)
  return new Tensor(makeNode('constant', t, []))
}

/**
 * `value` in every element.
 *
 * @example
 * ```ts
 * import { full } from 'fathom'
 *
 * full([2, 3], 7) // => [[7, 7, 7], [7, 7, 7]]
 * full([2], 1, 'bool') // => [true, true]
 * ```
 */
export const full = (shape: Shape, value: number, dtype: DType = 'f32'): Tensor =>
  new Tensor(fullNode(value, shape, dtype))

/**
 * Zeros.
 *
 * @example
 * ```ts
 * import { zeros } from 'fathom'
 *
 * zeros([2, 2]) // => [[0, 0], [0, 0]]
 * ```
 */
export const zeros = (shape: Shape, dtype: DType = 'f32'): Tensor => full(shape, 0, dtype)

/**
 * Ones.
 *
 * @example
 * ```ts
 * import { ones } from 'fathom'
 *
 * ones([3]) // => [1, 1, 1]
 * ones([3], 'i32').dtype // => 'i32'
 * ```
 */
export const ones = (shape: Shape, dtype: DType = 'f32'): Tensor => full(shape, 1, dtype)

/**
 * Zeros of the shape and dtype of `x`.
 *
 * @example
 * ```ts
 * import { tensor, zerosLike } from 'fathom'
 *
 * zerosLike(tensor([5, 6, 7])) // => [0, 0, 0]
 * ```
 */
export const zerosLike = (x: Tensor): Tensor => {
  expectTensor('zerosLike', x)
  return zeros(x.shape, x.dtype)
}

/**
 * Ones of the shape and dtype of `x`.
 *
 * @example
 * ```ts
 * import { onesLike, tensor } from 'fathom'
 *
 * onesLike(tensor([5, 6, 7])) // => [1, 1, 1]
 * ```
 */
export const onesLike = (x: Tensor): Tensor => {
  expectTensor('onesLike', x)
  return ones(x.shape, x.dtype)
}

/**
 * The index along `axis`, in every element of `shape`.
 *
 * @example
 * ```ts
 * import { iota } from 'fathom'
 *
 * iota([2, 3], 0) // => [[0, 0, 0], [1, 1, 1]]
 * iota([2, 3], 1) // => [[0, 1, 2], [0, 1, 2]]
 * ```
 */
export const iota = (shape: Shape, axis: number, dtype: DType = 'i32'): Tensor => {
  requireWholeShape(shape)
  return new Tensor(makeNode('iota', { shape, axis: normalizeAxis('iota', axis, shape.length), dtype }, []))
}

/**
 * `[0, 1, …, n − 1]`.
 *
 * @example
 * ```ts
 * import { arange } from 'fathom'
 *
 * arange(4) // => [0, 1, 2, 3]
 * arange(4, 'f32').mul(0.5) // => [0, 0.5, 1.0, 1.5]
 * ```
 */
export const arange = (n: number, dtype: DType = 'i32'): Tensor => iota([n], 0, dtype)

/**
 * The n×n identity matrix.
 *
 * @example
 * ```ts
 * import { eye } from 'fathom'
 *
 * eye(3) // => [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
 * ```
 */
export const eye = (n: number, dtype: DType = 'f32'): Tensor =>
  iota([n, n], 0)
    .equal(iota([n, n], 1))
    .cast(dtype)

/**
 * 1 at the class, 0 elsewhere: `[…] → […, classes]`. A label outside is an error where the
 * host knows it; one that only the device knows gives a row of zeros, as in JAX.
 *
 * @throws DTypeError for labels that are no integers; RangeError for a label outside whose value is known at the call
 * @example
 * ```ts
 * import { oneHot, tensor } from 'fathom'
 *
 * oneHot(tensor([2, 0], { dtype: 'i32' }), 3) // => [[0, 0, 1], [1, 0, 0]]
 * ```
 */
export const oneHot = (labels: Tensor, classes: number, dtype: DType = 'f32'): Tensor => {
  expectTensor('oneHot', labels)
  if (isFloat(labels.dtype) || labels.dtype === 'bool')
    throw new DTypeError(`oneHot: labels are integers, got ${labels.dtype}; cast them to i32`)
  requireLabels('oneHot', 'label', labels, classes)
  return labels
    .cast('i32') // bytes would count only to 255
    .expandDims(-1)
    .equal(iota([...labels.shape, classes], labels.rank))
    .cast(dtype)
}

/**
 * `count` numbers from `start` to `stop`, both included, as part of the program.
 *
 * @example
 * ```ts
 * import { linspace } from 'fathom'
 *
 * linspace(0, 1, 5) // => [0, 0.25, 0.5, 0.75, 1]
 * ```
 */
export const linspace = (start: number, stop: number, count: number, dtype: DType = 'f32'): Tensor =>
  constant(
    range(count).map((i) => start + ((stop - start) * i) / Math.max(1, count - 1)),
    { dtype },
  )
