/** Which type of WebAssembly's a single element is in while it is computed with. */
import type { DType } from '../../../graph/dtype.ts'

/** The type in which elements of a dtype are computed with. */
export const registerOf: { readonly [K in DType]: 'i32' | 'f32' | 'f64' } = {
  f16: 'f64',
  f32: 'f32',
  f64: 'f64',
  i32: 'i32',
  u32: 'i32',
  u8: 'i32',
  bool: 'i32',
}

/** Whether the dtype holds numbers that are no fractions. */
export const isWhole = (dtype: DType): boolean => registerOf[dtype] === 'i32'
