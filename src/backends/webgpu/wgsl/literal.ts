/** Numbers of a program in WGSL, whose constants are neither infinite nor NaN, and whose −0 is 0. */
import { isFloat, reinterpret, roundTo, type DType } from '../../../graph/dtype.ts'
import { laneType, type Shader } from './shader.ts'

/** The smallest normal f32: smaller ones a compiler may take for 0. */
const smallestNormal = 2 ** -126

/** A float that can stand in the text; 0 cannot, for with it compilers forget that the other factor may be NaN. */
const isWritable = (x: number): boolean => Number.isFinite(x) && Math.abs(x) >= smallestNormal

const decimal = (x: number): string => {
  const text = String(x)
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`
}

/**
 * The value of a literal; what WGSL cannot write comes from the block, as bits.
 *
 * @param hidden whether a compiler must not see it: it would multiply by the inverse of a divisor, which has another rounding
 */
export const literal = (shader: Shader, value: number, dtype: DType, hidden = false): string => {
  const x = roundTo[dtype](value)
  if (isFloat(dtype))
    return isWritable(x) && !hidden ? decimal(x) : `bitcast<f32>(${shader.number(reinterpret(x, 'f32', 'u32'))})`
  if (laneType(dtype) === 'u32') return `${x >>> 0}u`
  return x === -(2 ** 31) ? 'i32(-2147483648)' : `${x}i`
}
