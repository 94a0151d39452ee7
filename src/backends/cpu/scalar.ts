/**
 * The elementwise primitives on single numbers: the specification of what each computes.
 *
 * Floats are computed in f64 and rounded once to their dtype; integers wrap. Every other evaluator is held to these.
 */
import { roundTo, reinterpret, type DType } from '../../graph/dtype.ts'
import type { ElementwiseOp } from '../../graph/ops.ts'
import { erf } from '../../prelude/erf.ts'

/** A primitive on the elements of its inputs; `dtype` is the first input's, `to` the result's. */
export type ScalarRule = (x: number, y: number, z: number, dtype: DType, to: DType) => number

const isWide = (dtype: DType): boolean => dtype === 'i32' || dtype === 'u32'

const integerDivide = (x: number, y: number): number => (y === 0 ? 0 : Math.trunc(x / y))

const isIntegral = (dtype: DType): boolean => isWide(dtype) || dtype === 'u8'

/** The logistic function without overflow on either side. */
const logistic = (x: number): number => {
  const e = Math.exp(-Math.abs(x))
  return (x >= 0 ? 1 : e) / (1 + e)
}

/** Name → rule, before rounding. */
export const scalarRules: { readonly [K in ElementwiseOp]: ScalarRule } = {
  neg: (x) => -x,
  exp: (x) => Math.exp(x),
  log: (x) => Math.log(x),
  sqrt: (x) => Math.sqrt(x),
  sin: (x) => Math.sin(x),
  cos: (x) => Math.cos(x),
  tanh: (x) => Math.tanh(x),
  logistic,
  erf,
  floor: (x) => Math.floor(x),
  not: (x, _y, _z, dtype) => (dtype === 'bool' ? 1 - x : ~x),
  cast: (x, _y, _z, _dtype, to) => (isIntegral(to) ? Math.trunc(x) : x),
  bitcast: (x, _y, _z, dtype, to) => reinterpret(x, dtype, to),
  add: (x, y) => x + y,
  mul: (x, y, _z, dtype) => (isWide(dtype) ? Math.imul(x, y) : x * y),
  div: (x, y, _z, dtype) => (isIntegral(dtype) ? integerDivide(x, y) : x / y),
  rem: (x, y, _z, dtype) => (isIntegral(dtype) && y === 0 ? 0 : x % y),
  max: (x, y) => Math.max(x, y),
  and: (x, y) => x & y,
  or: (x, y) => x | y,
  xor: (x, y) => x ^ y,
  shiftLeft: (x, y) => x << y,
  shiftRight: (x, y, _z, dtype) => (dtype === 'i32' ? x >> y : x >>> y),
  less: (x, y) => Number(x < y),
  equal: (x, y) => Number(x === y),
  where: (c, x, y) => (c === 0 ? y : x),
}

/** The rule's result, rounded to its dtype. */
export const applyScalar = (op: ElementwiseOp, x: number, y: number, z: number, dtype: DType, to: DType): number =>
  roundTo[to](scalarRules[op](x, y, z, dtype, to))
