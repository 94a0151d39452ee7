/**
 * The elementwise primitives on single numbers: the specification of what each computes.
 *
 * Floats are computed in f64 and rounded once to their dtype; integers wrap. Every other evaluator is held to these.
 */
import { roundTo, reinterpret, type DType } from '../../graph/dtype.ts'
import type { ElementwiseOp } from '../../graph/ops.ts'

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
  erf: (x) => erf(x),
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

const twoOverSqrtPi = 2 / Math.sqrt(Math.PI)

/**
 * The error function in f64, to about 1e-15 relative: its Maclaurin series (Abramowitz & Stegun 7.1.6) up to 2.5, and the continued
 * fraction of the complement (7.1.14) beyond, evaluated from the far end.
 */
export const erf = (x: number): number => {
  const a = Math.abs(x)
  if (Number.isNaN(x)) return NaN
  if (a > 6) return Math.sign(x)
  const value = a < 2.5 ? erfSeries(a) : 1 - erfcFraction(a)
  return x < 0 ? -value : value
}

/** erf x = 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (1·3·…·(2n+1)): all terms positive, so nothing cancels. */
const erfSeries = (x: number): number => {
  let term = x
  let sum = x
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1)
    sum += term
  }
  return twoOverSqrtPi * Math.exp(-x * x) * sum
}

/** erfc x = e^(−x²)/√π · 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + …)))). */
const erfcFraction = (x: number): number => {
  let f = x
  for (let k = 60; k > 0; k--) f = x + k / 2 / f
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * f)
}
