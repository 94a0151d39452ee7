/** What the registry says of an operation: how to draw its inputs, what it should give, where it is smooth or linear, and how it is misused. */
import fc from 'fast-check'
import type { DType } from '../../src/graph/dtype.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { arrays, count, indices, numbers, shapes, stored, type NdArray } from '../array.ts'

/** What an oracle computes: a shape and exact numbers, row-major. The suite rounds them to the result's dtype. */
export interface Expected {
  readonly shape: readonly number[]
  readonly data: readonly number[]
}

/** Inputs and attributes chosen at random, the graph that they give, and what it should compute. */
export interface Case {
  readonly inputs: readonly NdArray[]
  readonly build: (...xs: readonly Tensor[]) => Tensor
  /** Plain JavaScript that shares no code with the library, of any inputs of these shapes; absent where only derivatives are held to account. */
  readonly oracle?: (...inputs: readonly NdArray[]) => Expected
}

/** The names of the errors that are thrown. */
export type ErrorName = 'ShapeError' | 'DTypeError' | 'RangeError'

/** A wrong use: inputs of these types, and the error that building the graph throws. */
export interface Misuse {
  /** `f32[2,3]`, … */
  readonly inputs: readonly string[]
  readonly build: (...xs: readonly Tensor[]) => unknown
  readonly error: ErrorName
  readonly message: RegExp
}

/** Kinds of shapes that every operation is tried with: no axes, an axis of 0, an axis of 1, an odd length from 3 on. */
export const shapeKinds = ['scalar', 'empty', 'one', 'odd'] as const

/** One of {@link shapeKinds}. */
export type ShapeKind = (typeof shapeKinds)[number]

/** What numbers are like at the ends: the suite of ends tries every operation with each kind. */
export const endKinds = ['NaN', 'infinities', 'zeros', 'ties', 'offset', 'integers'] as const

/** One of {@link endKinds}. */
export type EndKind = (typeof endKinds)[number]

/** What is tested of an operation. */
export interface Entry {
  readonly dtypes: readonly DType[]
  readonly cases: (dtype: DType) => fc.Arbitrary<Case>
  /** The inputs through which gradients flow, or all those in f64. Every other one gets a cotangent of zeros. */
  readonly differentiableIn: readonly number[] | 'floats'
  /** The inputs in which the operation is linear while the others stand still. */
  readonly linearIn: readonly number[]
  /** 0: the oracle's number, rounded once, is the only right answer. Else multiples of the dtype's {@link unit} by which it may differ. */
  readonly slack: number
  /** Cases in f64 for derivatives, where those of `cases` have kinks or no f64. */
  readonly smooth?: fc.Arbitrary<Case>
  /** How many times as many random cases as usual: what has many attributes needs more. */
  readonly weight: number
  /** Derivatives are checked in cases of at most so many elements. */
  readonly elements: number
  /** The step of the stencil, where the fifth derivative is large. */
  readonly step?: number
  /** Kinds of shapes that no input of this operation can have. */
  readonly lacks: readonly ShapeKind[]
  /** Why some kinds of {@link endKinds} are not tried with this operation, or (a text) none of them. By default all are. */
  readonly ends: { readonly [K in EndKind]?: string } | string
  readonly errors: readonly Misuse[]
}

/** An entry with the defaults: not differentiable, not linear, exact, every kind of shape and of number, nothing documented as wrong. */
export const entry = (given: Partial<Entry> & Pick<Entry, 'dtypes' | 'cases'>): Entry => ({
  differentiableIn: [],
  linearIn: [],
  slack: 0,
  weight: 1,
  elements: 24,
  lacks: [],
  ends: {},
  errors: [],
  ...given,
})

/** By how much a result that is rounded more than once may differ, relative to max(1, |expected|), per unit of slack. */
export const unit: { readonly [K in DType]: number } = {
  f64: 2 ** -45,
  f32: 2 ** -22,
  f16: 2 ** -9,
  i32: 0,
  u32: 0,
  u8: 0,
  bool: 0,
}

/** The floating-point dtypes. */
export const floats: readonly DType[] = ['f64', 'f32', 'f16']
/** The two in which derived operations, which round at every step, are held to their oracles. */
export const wide: readonly DType[] = ['f64', 'f32']
/** The integer dtypes. */
export const wholes: readonly DType[] = ['i32', 'u32', 'u8']
/** Those with arithmetic. */
export const arithmeticTypes: readonly DType[] = [...floats, ...wholes]
/** All dtypes. */
export const all: readonly DType[] = [...arithmeticTypes, 'bool']

/** Whether the dtype is a float. */
export const isFloating = (d: DType): boolean => floats.includes(d)

/** The tensor at a position that the case is known to have. */
export const one = (x: Tensor | undefined): Tensor => {
  if (x === undefined) throw new Error('the case has too few inputs')
  return x
}

/** Indices as a device would have computed them: the host does not know them, and cannot refuse what is outside. */
export const unread = (index: Tensor): Tensor => index.maximum(index)

/** The elements of a shape, from a function of their multi-index. */
export const table = (shape: readonly number[], f: (index: readonly number[]) => number): Expected => ({
  shape,
  data: indices(shape).map(f),
})

/** Any array of at least `minRank` axes. */
export const inputOf = (
  dtype: DType,
  minRank = 0,
  maxRank = 4,
  elements: fc.Arbitrary<number> = numbers(dtype),
): fc.Arbitrary<NdArray> => shapes(minRank, maxRank).chain((shape) => arrays(shape, dtype, elements))

/** A random subset of the axes, in random order. */
export const axesOf = (rank: number): fc.Arbitrary<readonly number[]> =>
  fc.shuffledSubarray(Array.from({ length: rank }, (_, i) => i))

/** Distinct values of a shape, 1/16 apart, so that a maximum and an order stay what they are under small changes. */
export const distinctOf = (shape: readonly number[], dtype: DType): fc.Arbitrary<NdArray> =>
  fc
    .shuffledSubarray(
      Array.from({ length: count(shape) }, (_, i) => stored(dtype, (i - 7) / 16)),
      { minLength: count(shape) },
    )
    .map((data) => ({ shape, dtype, data }))

/** Arrays of distinct values. */
export const distinct = (dtype: DType, minRank: number): fc.Arbitrary<NdArray> =>
  shapes(minRank, 3).chain((shape) => distinctOf(shape, dtype))

/** A wrong use that throws ShapeError. */
export const badShape = (message: RegExp, inputs: readonly string[], build: Misuse['build']): Misuse => ({
  error: 'ShapeError',
  message,
  inputs,
  build,
})

/** A wrong use that throws DTypeError. */
export const badDType = (message: RegExp, inputs: readonly string[], build: Misuse['build']): Misuse => ({
  error: 'DTypeError',
  message,
  inputs,
  build,
})

/** A wrong use that throws RangeError. */
export const badRange = (message: RegExp, inputs: readonly string[], build: Misuse['build']): Misuse => ({
  error: 'RangeError',
  message,
  inputs,
  build,
})
