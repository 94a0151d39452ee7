/** Elements in memory as numbers: what a typed array holds already, except that f16 is decoded and encoded. */
import { decodeHalf, encodeHalf } from '../../graph/half.ts'
import { viewAs, type DType, type TypedArray } from '../../graph/dtype.ts'
import type { Memory } from '../backend.ts'
import type { Lanes } from './lanes.ts'

/** Memory of the cpu backend: a range of an ArrayBuffer. */
export interface CpuMemory extends Memory {
  readonly buffer: ArrayBuffer
  readonly offset: number
}

/** The elements of a memory range. */
export const elements = (memory: CpuMemory, dtype: DType, length: number): TypedArray =>
  viewAs(dtype, memory.buffer, memory.offset, length)

/** Every half as a number: decoding is a load. */
const halves = Float32Array.from({ length: 65536 }, (_, bits) => decodeHalf(bits))

/** Element `i` as a number. */
export const load = (array: TypedArray, i: number): number =>
  array instanceof Uint16Array ? (halves[array[i] as number] as number) : (array[i] as number)

/** Writes a number that has been rounded to the array's dtype. */
export const store = (array: TypedArray, i: number, value: number): void => {
  array[i] = array instanceof Uint16Array ? encodeHalf(value) : value
}

/** The array as numbers: halves are decoded into a copy. */
export const asNumbers = (array: TypedArray): Lanes =>
  array instanceof Uint16Array ? Float32Array.from(array, (bits) => halves[bits] as number) : array

/** The order of numbers as a comparison: what is no number is last. */
export const ascending = (x: number, y: number): number =>
  x < y ? -1 : x > y ? 1 : Number(Number.isNaN(x)) - Number(Number.isNaN(y))
