/**
 * The elements of a file's array as elements of a dtype: the same bits where the dtype is the same, else the same numbers, or an error.
 *
 * A number that the dtype cannot hold is never changed silently. Floats become floats, whole numbers whole numbers or floats, and booleans
 * 0 and 1 of any dtype. Sources of the 8-bit floats: Micikevicius et al. 2022, "FP8 formats for deep learning" (E4M3, E5M2), and the OCP
 * Microscaling specification 1.0 (E8M0).
 */
import { allocate, isFloat, roundTo, viewAs, type DType, type TypedArray } from '../graph/dtype.ts'
import { decodeHalf, encodeHalf } from '../graph/half.ts'
import { product } from '../prelude/array.ts'
import { E } from '../prelude/fp.ts'
import { bitsPerElement, type ArrayRecord, type RecordDType } from './arrayRecord.ts'
import { dtypeNames } from './safetensorsHeader.ts'

type Numbers = TypedArray | Int8Array | Int16Array | BigInt64Array | BigUint64Array

/** How the elements of a file's dtype are read. */
interface Reading {
  readonly kind: 'float' | 'whole' | 'bool'
  /** The dtype that holds them where none is asked for: of the same kind, and wide enough. */
  readonly natural: DType
  readonly numbers: (buffer: ArrayBuffer) => Numbers
}

/** S.EEEE.MMM with bias 7, no infinities, and NaN where all bits but the sign are set. */
const decodeE4M3 = (b: number): number => {
  const sign = b < 128 ? 1 : -1
  const exponent = (b >> 3) & 15
  const mantissa = b & 7
  if (exponent === 15 && mantissa === 7) return NaN
  return sign * (exponent === 0 ? mantissa * 2 ** -9 : (8 + mantissa) * 2 ** (exponent - 10))
}

/** A power of two, with bias 127. */
const decodeE8M0 = (b: number): number => (b === 255 ? NaN : 2 ** (b - 127))

const float8 = (decode: (b: number) => number): Reading => ({
  kind: 'float',
  natural: 'f32',
  numbers: (buffer) => Float32Array.from(new Uint8Array(buffer), decode),
})

/** Every dtype of a file; undefined where no dtype of ours can hold its elements, or they do not fill bytes. */
const readings: { readonly [K in RecordDType]: Reading | undefined } = {
  f64: { kind: 'float', natural: 'f64', numbers: (b) => new Float64Array(b) },
  f32: { kind: 'float', natural: 'f32', numbers: (b) => new Float32Array(b) },
  f16: { kind: 'float', natural: 'f16', numbers: (b) => Float32Array.from(new Uint16Array(b), decodeHalf) },
  BF16: {
    kind: 'float',
    natural: 'f32',
    numbers: (b) => new Float32Array(Uint32Array.from(new Uint16Array(b), (x) => x << 16).buffer),
  },
  F8_E4M3: float8(decodeE4M3),
  F8_E5M2: float8((b) => decodeHalf(b << 8)), // the upper half of an f16
  F8_E8M0: float8(decodeE8M0),
  I64: { kind: 'whole', natural: 'i32', numbers: (b) => new BigInt64Array(b) },
  U64: { kind: 'whole', natural: 'u32', numbers: (b) => new BigUint64Array(b) },
  i32: { kind: 'whole', natural: 'i32', numbers: (b) => new Int32Array(b) },
  u32: { kind: 'whole', natural: 'u32', numbers: (b) => new Uint32Array(b) },
  I16: { kind: 'whole', natural: 'i32', numbers: (b) => new Int16Array(b) },
  U16: { kind: 'whole', natural: 'u32', numbers: (b) => new Uint16Array(b) },
  I8: { kind: 'whole', natural: 'i32', numbers: (b) => new Int8Array(b) },
  u8: { kind: 'whole', natural: 'u8', numbers: (b) => new Uint8Array(b) },
  bool: { kind: 'bool', natural: 'bool', numbers: (b) => new Uint8Array(b).map((x) => Number(x !== 0)) },
  C64: undefined,
  F6_E2M3: undefined,
  F6_E3M2: undefined,
  F4: undefined,
}

/** The dtype that holds a file's elements where none is asked for; undefined where there is none. */
export const naturalDType = (dtype: RecordDType): DType | undefined => readings[dtype]?.natural

const kindOf = (dtype: DType): Reading['kind'] => (dtype === 'bool' ? 'bool' : isFloat(dtype) ? 'float' : 'whole')

const fitting: { readonly [K in Reading['kind']]: readonly Reading['kind'][] } = {
  float: ['float'],
  whole: ['whole', 'float'],
  bool: ['bool', 'whole', 'float'],
}

/** The number in the dtype; undefined where it is another there. */
const exactly = (x: number | bigint, dtype: DType): number | undefined => {
  const number = Number(x)
  const held = roundTo[dtype](number)
  const same = typeof x === 'bigint' ? Number.isFinite(held) && BigInt(held) === x : Object.is(held, number)
  return same ? held : undefined
}

/** The numbers as the dtype stores them; Left, with words about it, for the first that it cannot hold and that is not to be rounded. */
const converted = (
  numbers: Numbers,
  dtype: DType,
  round: boolean,
  unfit: (x: number | bigint) => string,
): E.Either<string, TypedArray> => {
  const result = allocate(dtype, numbers.length)
  for (const [i, x] of numbers.entries()) {
    const held = exactly(x, dtype) ?? (round ? roundTo[dtype](Number(x)) : undefined)
    if (held === undefined) return E.left(unfit(x))
    result[i] = dtype === 'f16' ? encodeHalf(held) : held
  }
  return E.right(result)
}

/**
 * The elements of a record as a dtype stores them, in an array of their own.
 *
 * @param round whether floats that the dtype cannot hold are rounded to the nearest that it can
 * @returns Left with words about the record that stand after its name
 */
export const numbersOf = (record: ArrayRecord, dtype: DType, round = false): E.Either<string, TypedArray> => {
  const from = dtypeNames[record.dtype]
  const reading = readings[record.dtype]
  const count = product(record.shape)
  if (reading === undefined) return E.left(`is ${from}, which no dtype of fathom holds`)
  const { buffer } = new Uint8Array(record.bytes) // a copy, and so aligned
  if (record.dtype === dtype) return E.right(viewAs(dtype, buffer, 0, count))
  if (!fitting[reading.kind].includes(kindOf(dtype))) return E.left(`is ${from}, where the model has ${dtype}`)
  return converted(reading.numbers(buffer), dtype, round && reading.kind === 'float', (x) => {
    const remedy = reading.kind === 'float' ? '; with round: true it is rounded' : ''
    return `is ${from} and holds ${x}, which ${dtype} cannot hold exactly${remedy}`
  })
}

/**
 * The bytes of an array whose axes are those of `record` in another order.
 *
 * @returns Left for elements that do not fill bytes, with words that stand after the name
 */
export const permutedBytes = (
  { dtype, shape, bytes }: ArrayRecord,
  permutation: readonly number[],
): E.Either<string, Uint8Array> => {
  if (permutation.every((p, i) => p === i)) return E.right(bytes)
  const width = bitsPerElement[dtype] / 8
  if (!Number.isInteger(width)) return E.left(`is ${dtypeNames[dtype]}, whose elements do not fill bytes`)
  const result = new Uint8Array(bytes.length)
  const sizes = permutation.map((p) => shape[p] ?? 1)
  const strides = permutation.map((p) => width * product(shape.slice(p + 1)))
  const index = sizes.map(() => 0)
  let from = 0
  for (let to = 0; to < result.length; to += width) {
    for (let b = 0; b < width; b++) result[to + b] = bytes[from + b] ?? 0
    // The next index: the last axis that can go on does, and those after it begin again.
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      const [size, stride, i] = [sizes[axis] ?? 1, strides[axis] ?? 0, (index[axis] ?? 0) + 1]
      from += stride
      index[axis] = i
      if (i < size) break
      from -= size * stride
      index[axis] = 0
    }
  }
  return E.right(result)
}
