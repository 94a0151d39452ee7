/**
 * An array as files hold it: dtype, shape and raw little-endian bytes.
 *
 * Files know element types that tensors do not (bfloat16, 64-bit integers, 8-bit floats); those keep their name and
 * their bytes, so that reading and writing a foreign file loses nothing. Source: the dtype list of
 * https://github.com/huggingface/safetensors (tensor.rs).
 */
import { decodeHalf } from '../graph/half.ts'
import type { DType } from '../graph/dtype.ts'
import { product } from '../prelude/array.ts'
import { E } from '../prelude/fp.ts'

/** Element types that only files know, under the names that safetensors gives them. */
export type ForeignDType =
  | 'BF16'
  | 'I64'
  | 'U64'
  | 'I16'
  | 'U16'
  | 'I8'
  | 'C64'
  | 'F8_E4M3'
  | 'F8_E5M2'
  | 'F8_E8M0'
  | 'F6_E2M3'
  | 'F6_E3M2'
  | 'F4'

/** Every element type that a file may hold. */
export type RecordDType = DType | ForeignDType

/**
 * An array as a file holds it. `bytes` is little-endian, row-major, and may start at any (unaligned) offset of its
 * buffer.
 */
export type ArrayRecord = {
  readonly dtype: RecordDType
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

/**
 * Bits of one element; the 4-bit and 6-bit floats are packed, so only whole arrays of them fill bytes.
 *
 * @example
 * ```ts
 * import { bitsPerElement } from 'fathom/io'
 *
 * bitsPerElement.BF16 // => 16
 * bitsPerElement.F4 // => 4
 * ```
 */
export const bitsPerElement: { readonly [K in RecordDType]: number } = {
  f64: 64,
  I64: 64,
  U64: 64,
  C64: 64,
  f32: 32,
  i32: 32,
  u32: 32,
  f16: 16,
  BF16: 16,
  I16: 16,
  U16: 16,
  u8: 8,
  bool: 8,
  I8: 8,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F8_E8M0: 8,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F4: 4,
}

/** A record whose elements are not floats was asked for as floats. */
export type NotFloatError = { readonly _tag: 'NotFloatError'; readonly dtype: RecordDType; readonly message: string }

const notFloat = ({ dtype, shape }: ArrayRecord): NotFloatError => {
  const what = `an array of ${dtype} [${shape.join(', ')}]`
  const message = `${what} holds no f16, BF16, f32 or f64: read its bytes as what they are`
  return { _tag: 'NotFloatError', dtype, message }
}

/** The bits of a float32 whose upper half is this bfloat16. */
const widen = (b: number): number => b << 16

/**
 * The elements as float32, in a fresh array: f32 and BF16 exactly, f16 exactly, f64 rounded to nearest.
 *
 * @param record shape of any rank; `bytes` may be unaligned
 * @returns Left for integers, bool and floats of 8 bits or less
 * @example
 * ```ts
 * import { toFloat32 } from 'fathom/io'
 *
 * toFloat32({ dtype: 'BF16', shape: [2], bytes: Uint8Array.of(0x80, 0x3f, 0x00, 0xc0) }) // => right([1, -2])
 * toFloat32({ dtype: 'I8', shape: [1], bytes: Uint8Array.of(7) }) // => left({ _tag: 'NotFloatError', dtype: 'I8', … })
 * ```
 */
export const toFloat32 = (record: ArrayRecord): E.Either<NotFloatError, Float32Array> => {
  const { dtype, shape } = record
  const n = product(shape)
  const { buffer } = new Uint8Array(record.bytes) // a copy: aligned, and never a view of the file
  switch (dtype) {
    case 'f32':
      return E.right(new Float32Array(buffer, 0, n))
    case 'f16':
      return E.right(Float32Array.from(new Uint16Array(buffer, 0, n), decodeHalf))
    case 'f64':
      return E.right(new Float32Array(new Float64Array(buffer, 0, n)))
    case 'BF16':
      return E.right(new Float32Array(Uint32Array.from(new Uint16Array(buffer, 0, n), widen).buffer))
    default:
      return E.left(notFloat(record))
  }
}
