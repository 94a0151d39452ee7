/**
 * One element as a value in registers: how each dtype is loaded, stored, and rounded.
 *
 * An f32 stays one; f64 and f16 are f64, a half always a value that a half can have; integers and bools are i32, u8 within its 8 bits and a
 * bool 0 or 1. Everything here gives the bits of `roundTo` (graph/dtype.ts).
 */
import { bytesPerElement, isWrapping, type DType } from '../../../graph/dtype.ts'
import {
  add,
  apply,
  f32,
  f64,
  i32,
  i64,
  mul,
  select,
  store,
  type Expression,
  type Statement,
} from '../assembler/code.ts'
import { keep, type Emitter } from '../emit/emitter.ts'
import { isWhole, registerOf } from './register.ts'

const and = (x: Expression, bits: number): Expression => apply('i32.and', [x, i32(bits)])
const or = (x: Expression, y: Expression): Expression => apply('i32.or', [x, y])
const shl = (x: Expression, by: number): Expression => apply('i32.shl', [x, i32(by)])
const shr = (x: Expression, by: number): Expression => apply('i32.shr_u', [x, i32(by)])

/**
 * The value of a half: its exponent and mantissa as those of an f32 whose exponent is 112 too small, which a product makes right, for
 * subnormals too. What comes out at 2¹⁶ or above was ∞ or NaN, and gets an f32's exponent for these.
 */
const decodeHalf = (e: Emitter, bits: Expression): Expression => {
  const h = keep(e, 'half', bits)
  const scaled = apply('f32.mul', [apply('f32.reinterpret_i32', [shl(and(h, 0x7fff), 13)]), f32(2 ** 112)])
  const m = keep(e, 'm', scaled)
  const special = select(apply('f32.ge', [m, f32(65536)]), i32(0x7f80_0000), i32(0))
  const sign = shl(and(h, 0x8000), 16)
  return apply('f64.promote_f32', [
    apply('f32.reinterpret_i32', [or(or(apply('i32.reinterpret_f32', [m]), special), sign)]),
  ])
}

/** The 16 bits of a half, from its value: the inverse of {@link decodeHalf}. ∞ is halved to 2¹⁶ first, whose exponent is that of ∞. */
const encodeHalf = (e: Emitter, value: Expression): Expression => {
  const x = keep(e, 'x', apply('f32.demote_f64', [value]))
  const scaled = apply('f32.mul', [apply('f32.min', [apply('f32.abs', [x]), f32(65536)]), f32(2 ** -112)])
  const magnitude = and(shr(apply('i32.reinterpret_f32', [scaled]), 13), 0x7fff)
  return or(magnitude, and(shr(apply('i32.reinterpret_f32', [x]), 16), 0x8000))
}

/**
 * The half nearest to a double, ties to even. With p = 2⁴² times the power of two below |x|, |x| + p has a last place of 2⁻¹⁰ of that power: the
 * addition rounds, and subtracting p is exact. Below 2⁻¹⁴ the last place stays 2⁻²⁴, as subnormal halves have it.
 */
export const roundToHalf = (e: Emitter, value: Expression): Expression => {
  const x = keep(e, 'x', value)
  const a = keep(e, 'a', apply('f64.min', [apply('f64.abs', [x]), f64(131072)]))
  const exponent = apply('i64.and', [apply('i64.reinterpret_f64', [a]), i64(0x7ff0_0000_0000_0000n)])
  const power = apply('f64.max', [apply('f64.reinterpret_i64', [exponent]), f64(2 ** -14)])
  const p = keep(e, 'p', apply('f64.mul', [power, f64(2 ** 42)]))
  const r = keep(e, 'r', apply('f64.sub', [apply('f64.add', [a, p]), p]))
  return apply('f64.copysign', [select(apply('f64.gt', [r, f64(65504)]), f64(Infinity), r), x])
}

/** The i32 that ToInt32 of JavaScript gives: the whole part modulo 2³²; 0 for ∞ and NaN. Every step is exact. */
const wrapped = (e: Emitter, value: Expression): Expression => {
  const t = keep(e, 't', apply('f64.trunc', [value]))
  const turns = apply('f64.floor', [apply('f64.mul', [t, f64(2 ** -32)])])
  return apply('i32.trunc_sat_f64_u', [apply('f64.sub', [t, apply('f64.mul', [turns, f64(2 ** 32)])])])
}

/** An i32 in the bits that the dtype has. */
export const wrapWhole = (x: Expression, to: DType): Expression => {
  if (to === 'bool') return apply('i32.ne', [x, i32(0)])
  return to === 'u8' ? and(x, 255) : x
}

/** A value as a double: exact from every dtype. */
export const toDouble = (x: Expression, from: DType): Expression => {
  if (from === 'f32') return apply('f64.promote_f32', [x])
  if (!isWhole(from)) return x
  return apply(from === 'i32' ? 'f64.convert_i32_s' : 'f64.convert_i32_u', [x])
}

/** A double as the dtype stores it. */
export const fromDouble = (e: Emitter, x: Expression, to: DType): Expression => {
  switch (to) {
    case 'f64':
      return x
    case 'f32':
      return apply('f32.demote_f64', [x])
    case 'f16':
      return roundToHalf(e, x)
    case 'bool':
      return apply('f64.ne', [x, f64(0)])
    case 'i32':
    case 'u32':
    case 'u8':
      return wrapWhole(wrapped(e, x), to)
  }
}

/** A sum of products while it is made: in f64, or, of whole numbers, in an i32, which wraps. */
export interface Sum {
  readonly register: 'i32' | 'f64'
  readonly zero: Expression
  /** sum + x·y, of values in registers. */
  readonly plus: (sum: Expression, x: Expression, y: Expression) => Expression
  /** The sum as the output's dtype stores it. */
  readonly rounded: (e: Emitter, sum: Expression) => Expression
}

/** How products of `x` and `y` are summed up to a `to`, as cpu does it. */
export const sumOf = (x: DType, y: DType, to: DType): Sum =>
  isWrapping(x, to) && isWrapping(y, to)
    ? {
        register: 'i32',
        zero: i32(0),
        plus: (sum, a, b) => apply('i32.add', [sum, apply('i32.mul', [a, b])]),
        rounded: (_, sum) => wrapWhole(sum, to),
      }
    : {
        register: 'f64',
        zero: f64(0),
        plus: (sum, a, b) => apply('f64.add', [sum, apply('f64.mul', [toDouble(a, x), toDouble(b, y)])]),
        rounded: (e, sum) => fromDouble(e, sum, to),
      }

/** A value of one dtype as another. */
export const cast = (e: Emitter, x: Expression, from: DType, to: DType): Expression => {
  if (from === to) return x
  if (isWhole(from) && isWhole(to)) return wrapWhole(x, to)
  return fromDouble(e, toDouble(x, from), to)
}

/** A number as a value of the dtype. */
export const literal = (value: number, dtype: DType): Expression => {
  const register = registerOf[dtype]
  if (register === 'i32') return i32(dtype === 'bool' ? Number(value !== 0) : value)
  return register === 'f32' ? f32(value) : f64(value)
}

/** The element at an address. */
export const loadElement = (e: Emitter, dtype: DType, address: Expression): Expression => {
  switch (dtype) {
    case 'f16':
      return decodeHalf(e, apply('i32.load16_u', [address], 0))
    case 'f32':
      return apply('f32.load', [address], 0)
    case 'f64':
      return apply('f64.load', [address], 0)
    case 'i32':
    case 'u32':
      return apply('i32.load', [address], 0)
    case 'u8':
    case 'bool':
      return apply('i32.load8_u', [address], 0)
  }
}

/** Writes a value that has been rounded to the dtype. */
export const storeElement = (e: Emitter, dtype: DType, address: Expression, value: Expression): Statement => {
  switch (dtype) {
    case 'f16':
      return store('i32.store16', address, encodeHalf(e, value))
    case 'f32':
      return store('f32.store', address, value)
    case 'f64':
      return store('f64.store', address, value)
    case 'i32':
    case 'u32':
      return store('i32.store', address, value)
    case 'u8':
    case 'bool':
      return store('i32.store8', address, value)
  }
}

/** The address of element `index` behind `base`. */
export const elementAt = (base: Expression, index: Expression, dtype: DType): Expression =>
  add(base, mul(index, i32(bytesPerElement[dtype])))
