/**
 * The elementwise primitives on one element, with the bits of cpu's `scalarRules`: floats are computed in f64 and rounded once (in f32 itself
 * where that is the same: 53 ≥ 2·24 + 2 digits), integers wrap. Functions of f32 have the bits of the vectors' instead.
 */
import type { DType } from '../../../graph/dtype.ts'
import type { ElementwiseOp } from '../../../graph/ops.ts'
import { apply, call, f64, i32, select, type Expression } from '../assembler/code.ts'
import type { OpcodeName } from '../assembler/opcodes.ts'
import { keep, type Emitter } from '../emit/emitter.ts'
import { erf, exp, log, logistic, tanh } from '../emit/math.ts'
import { cos, sin } from '../emit/trigonometry.ts'
import type { JavascriptName } from '../emit/javascript.ts'
import { isWhole } from './register.ts'
import { cast, fromDouble, roundToHalf, toDouble, wrapWhole } from './scalarValue.ts'

/** What makes a result of dtype `to` from operands; `from` is the dtype of the first of them. */
type Rule = (e: Emitter, operands: readonly [Expression, Expression, Expression], from: DType, to: DType) => Expression

/** Instructions for both widths of floats; with `rounds`, a half's result is rounded. */
const float = (narrow: OpcodeName, wide: OpcodeName, count: 1 | 2, rounds: boolean): Rule => {
  return (e, operands, from) => {
    const used = operands.slice(0, count)
    if (from === 'f32') return apply(narrow, used)
    const result = apply(wide, used)
    return rounds && from === 'f16' ? roundToHalf(e, result) : result
  }
}

/** One rule for floats, one for integers and bools. */
const either =
  (floating: Rule, whole: Rule): Rule =>
  (e, operands, from, to) =>
    (isWhole(from) ? whole : floating)(e, operands, from, to)

const whole =
  (f: (x: Expression, y: Expression, from: DType, e: Emitter) => Expression): Rule =>
  (e, [x, y], from, to) =>
    wrapWhole(f(x, y, from, e), to)

const integer = (op: OpcodeName): Rule => whole((x, y) => apply(op, [x, y]))

/** A function of a double, rounded once. */
const throughDouble =
  (f: (e: Emitter, x: Expression, y: Expression) => Expression): Rule =>
  (e, [x, y], from, to) =>
    fromDouble(e, f(e, toDouble(x, from), toDouble(y, from)), to)

/**
 * A function of one float. Of f32 it is the vectors' own, in one lane: whether a value is computed with f32 alone or beside halves must not change
 * its bits.
 */
const curved = (wide: Rule, lanes: (e: Emitter, x: Expression) => Expression): Rule => {
  return (e, operands, from, to) => {
    if (from !== 'f32') return wide(e, operands, from, to)
    return apply('f32x4.extract_lane', [lanes(e, apply('f32x4.splat', [operands[0]]))], 0)
  }
}

const javascript = (name: JavascriptName): Rule => throughDouble((_, x) => call(name, 'f64', x))

const never: Rule = () => {
  throw new Error('wasm: integers have no such function')
}

/** (x ≥ 0 ? 1 : q) / (1 + q) with q = e^(−|x|), as cpu has it. */
const wideLogistic: Rule = throughDouble((e, value) => {
  const x = keep(e, 'x', value)
  const q = keep(e, 'q', call('exp', 'f64', apply('f64.neg', [apply('f64.abs', [x])])))
  return apply('f64.div', [select(apply('f64.ge', [x, f64(0)]), f64(1), q), apply('f64.add', [f64(1), q])])
})

const isSigned = (dtype: DType): boolean => dtype === 'i32'

/** Division by 0 gives 0, and −2³¹ / −1 wraps: neither may reach the instruction, which traps. */
const divide = whole((x, y, from, e) => {
  const isZero = keep(e, 'zero', apply('i32.eqz', [y]))
  if (!isSigned(from)) return select(isZero, i32(0), apply('i32.div_u', [x, select(isZero, i32(1), y)]))
  const isMinusOne = keep(e, 'negates', apply('i32.eq', [y, i32(-1)]))
  const safe = select(apply('i32.or', [isZero, isMinusOne]), i32(1), y)
  const quotient = select(isMinusOne, apply('i32.sub', [i32(0), x]), apply('i32.div_s', [x, safe]))
  return select(isZero, i32(0), quotient)
})

const remainder = whole((x, y, from, e) => {
  const isZero = keep(e, 'zero', apply('i32.eqz', [y]))
  const safe = select(isZero, i32(1), y)
  return select(isZero, i32(0), apply(isSigned(from) ? 'i32.rem_s' : 'i32.rem_u', [x, safe]))
})

const compared = (narrow: OpcodeName, wide: OpcodeName, signed: OpcodeName, unsigned: OpcodeName): Rule =>
  either(
    (_, [x, y], from) => apply(from === 'f32' ? narrow : wide, [x, y]),
    (_, [x, y], from) => apply(isSigned(from) ? signed : unsigned, [x, y]),
  )

const bitcast: Rule = (_, [x], from, to) => {
  if (from === 'f32') return to === 'f32' ? x : apply('i32.reinterpret_f32', [x])
  return to === 'f32' ? apply('f32.reinterpret_i32', [x]) : x
}

/** Name → rule. */
export const scalarOps: { readonly [K in ElementwiseOp]: Rule } = {
  neg: either(
    float('f32.neg', 'f64.neg', 1, false),
    whole((x) => apply('i32.sub', [i32(0), x])),
  ),
  exp: curved(javascript('exp'), exp),
  log: curved(javascript('log'), log),
  sqrt: either(float('f32.sqrt', 'f64.sqrt', 1, true), never),
  sin: curved(javascript('sin'), sin),
  cos: curved(javascript('cos'), cos),
  tanh: curved(javascript('tanh'), tanh),
  logistic: curved(wideLogistic, logistic),
  erf: curved(javascript('erf'), erf),
  floor: either(float('f32.floor', 'f64.floor', 1, false), (_, [x]) => x),
  not: whole((x, _, from) => apply('i32.xor', [x, i32(from === 'bool' ? 1 : -1)])),
  cast: (e, [x], from, to) => cast(e, x, from, to),
  bitcast,
  add: either(float('f32.add', 'f64.add', 2, true), integer('i32.add')),
  mul: either(float('f32.mul', 'f64.mul', 2, true), integer('i32.mul')),
  div: either(float('f32.div', 'f64.div', 2, true), divide),
  rem: either(
    throughDouble((_, x, y) => call('remainder', 'f64', x, y)),
    remainder,
  ),
  max: either(
    float('f32.max', 'f64.max', 2, false),
    whole((x, y, from) => select(apply(isSigned(from) ? 'i32.gt_s' : 'i32.gt_u', [x, y]), x, y)),
  ),
  and: integer('i32.and'),
  or: integer('i32.or'),
  xor: integer('i32.xor'),
  shiftLeft: integer('i32.shl'),
  shiftRight: whole((x, y, from) => apply(isSigned(from) ? 'i32.shr_s' : 'i32.shr_u', [x, y])),
  less: compared('f32.lt', 'f64.lt', 'i32.lt_s', 'i32.lt_u'),
  equal: compared('f32.eq', 'f64.eq', 'i32.eq', 'i32.eq'),
  where: (_, [c, x, y]) => select(c, x, y),
}
