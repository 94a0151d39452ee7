/** Element types: their size, their storage, and how each rounds. */
import { DTypeError } from '../prelude/errors.ts'
import { whatIs } from '../prelude/mistaken.ts'
import { keysOf } from '../prelude/record.ts'
import { decodeHalf, encodeHalf } from './half.ts'

/** What an element is. `bool` is stored as one byte, 0 or 1; `f16` as its 16 bits. */
export type DType = 'f16' | 'f32' | 'f64' | 'i32' | 'u32' | 'u8' | 'bool'

/** Host storage of elements; f16 is a `Uint16Array` of bits. */
export type TypedArray = Uint16Array | Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array

/** Bytes of one element. */
export const bytesPerElement: { readonly [K in DType]: number } = {
  f16: 2,
  f32: 4,
  f64: 8,
  i32: 4,
  u32: 4,
  u8: 1,
  bool: 1,
}

/** What other libraries call them. */
const foreignNames: Readonly<Record<string, DType | undefined>> = {
  float16: 'f16',
  half: 'f16',
  float32: 'f32',
  float: 'f32',
  float64: 'f64',
  double: 'f64',
  int32: 'i32',
  int: 'i32',
  uint32: 'u32',
  uint8: 'u8',
  boolean: 'bool',
}

/** Refuses the name of no dtype, as JavaScript may give one. */
export const requireKnownDType = (dtype: DType): void => {
  if (Object.hasOwn(bytesPerElement, dtype)) return
  const given = typeof dtype === 'string' ? `'${dtype}'` : whatIs(dtype)
  const meant = Object.hasOwn(foreignNames, dtype) ? `; write '${foreignNames[dtype]}'` : ''
  throw new DTypeError(`there is no dtype ${given}: choose one of ${keysOf(bytesPerElement).join(', ')}${meant}`)
}

const views: { readonly [K in DType]: (buffer: ArrayBufferLike, byteOffset: number, length: number) => TypedArray } = {
  f16: (b, o, n) => new Uint16Array(b, o, n),
  f32: (b, o, n) => new Float32Array(b, o, n),
  f64: (b, o, n) => new Float64Array(b, o, n),
  i32: (b, o, n) => new Int32Array(b, o, n),
  u32: (b, o, n) => new Uint32Array(b, o, n),
  u8: (b, o, n) => new Uint8Array(b, o, n),
  bool: (b, o, n) => new Uint8Array(b, o, n),
}

/** A typed view of `length` elements of `buffer` from `byteOffset`. */
export const viewAs = (dtype: DType, buffer: ArrayBufferLike, byteOffset: number, length: number): TypedArray =>
  views[dtype](buffer, byteOffset, length)

/** A fresh zeroed array of `length` elements. */
export const allocate = (dtype: DType, length: number): TypedArray =>
  views[dtype](new ArrayBuffer(length * bytesPerElement[dtype]), 0, length)

/** Whether the dtype is a floating-point one, and so differentiable. */
export const isFloat = (dtype: DType): boolean => dtype === 'f16' || dtype === 'f32' || dtype === 'f64'

/** Whether both are floats, and every value of the first is one of the second, which has more. */
export const isNarrower = (narrow: DType, wide: DType): boolean =>
  isFloat(narrow) && isFloat(wide) && bytesPerElement[narrow] < bytesPerElement[wide]

/** Whether the dtype holds whole numbers, with which arithmetic wraps. */
export const isInteger = (dtype: DType): boolean => dtype === 'i32' || dtype === 'u32' || dtype === 'u8'

/** Whether sums and products of `from` that become `to` wrap: between whole numbers. All others are floats, which round. */
export const isWrapping = (from: DType, to: DType): boolean => isInteger(from) && isInteger(to)

const bits = new DataView(new ArrayBuffer(4))

/** `x` as the dtype would store it: rounded for floats, wrapped for integers (two's complement), 0 or 1 for bool. */
export const roundTo: { readonly [K in DType]: (x: number) => number } = {
  f16: (x) => decodeHalf(encodeHalf(x)),
  f32: Math.fround,
  f64: (x) => x,
  i32: (x) => x | 0,
  u32: (x) => x >>> 0,
  u8: (x) => x & 255,
  bool: (x) => (x === 0 ? 0 : 1),
}

/** Reinterprets the bits of `x` (of dtype `from`) as dtype `to`; both have four bytes. */
export const reinterpret = (x: number, from: DType, to: DType): number => {
  if (from === 'f32') bits.setFloat32(0, x)
  else bits.setUint32(0, x)
  return to === 'f32' ? bits.getFloat32(0) : to === 'i32' ? bits.getInt32(0) : bits.getUint32(0)
}
