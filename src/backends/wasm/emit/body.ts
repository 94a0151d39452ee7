/**
 * The body of a fused kernel as vector code: each instruction becomes one value of four lanes.
 *
 * f32, i32 and u32 lanes hold numbers, u8 lanes whole ones below 256, bool lanes masks of all ones or zeros. What has no vector code here
 * is named.
 */
import { at } from '../../../prelude/array.ts'
import type { DType } from '../../../graph/dtype.ts'
import type { ElementwiseOp } from '../../../graph/ops.ts'
import type { Instruction } from '../../../compiler/kernel.ts'
import { apply, i32, type Expression } from '../assembler/code.ts'
import { bitsOf, fadd, fdiv, fmul, keep, lanes, lanesOfBits, type Emitter } from './emitter.ts'
import type { BodyStructure } from './leaf.ts'
import { divide, remainder, shiftLeft, shiftRight, wrap } from './integers.ts'
import { erf, exp, log, logistic, tanh } from './math.ts'
import { cos, sin } from './trigonometry.ts'
import type { Unsupported } from './unsupported.ts'

/** Dtypes that a lane can hold. */
export type LaneType = 'f32' | 'i32' | 'u32' | 'u8' | 'bool'

/** Whether a lane of a vector can hold values of the dtype. */
export const isLaneType = (dtype: DType): dtype is LaneType =>
  dtype === 'f32' || dtype === 'i32' || dtype === 'u32' || dtype === 'u8' || dtype === 'bool'

type Step = (e: Emitter, x: Expression, y: Expression, z: Expression) => Expression

/** What makes a result from four lanes of each operand, where the operands have a dtype; absent where there is no vector code. */
type Steps = { readonly [T in LaneType]?: Step }

const pair =
  (op: Parameters<typeof apply>[0]): Step =>
  (_, x, y) =>
    apply(op, [x, y])

const byte = (e: Emitter, x: Expression): Expression => apply('v128.and', [x, lanesOfBits(e, 255)])

/** A step of whole numbers; a byte's result is cut to eight bits. */
const whole = (step: Step): Steps => ({ i32: step, u32: step, u8: (e, x, y, z) => byte(e, step(e, x, y, z)) })

const bits = (op: 'v128.and' | 'v128.or' | 'v128.xor'): Steps => ({
  i32: pair(op),
  u32: pair(op),
  u8: pair(op),
  bool: pair(op),
})

/** A step that the sign of its operands changes; bytes are not negative. */
const signed = (step: (sign: 's' | 'u') => Step): Steps => ({ i32: step('s'), u32: step('u'), u8: step('s') })

const steps: { readonly [K in ElementwiseOp]: Steps } = {
  neg: { f32: (_, x) => apply('f32x4.neg', [x]), ...whole((_, x) => apply('i32x4.neg', [x])) },
  exp: { f32: (e, x) => exp(e, x) },
  log: { f32: (e, x) => log(e, x) },
  sqrt: { f32: (_, x) => apply('f32x4.sqrt', [x]) },
  sin: { f32: (e, x) => sin(e, x) },
  cos: { f32: (e, x) => cos(e, x) },
  tanh: { f32: (e, x) => tanh(e, x) },
  logistic: { f32: (e, x) => logistic(e, x) },
  erf: { f32: (e, x) => erf(e, x) },
  floor: { f32: (_, x) => apply('f32x4.floor', [x]) },
  not: { ...whole((_, x) => apply('v128.not', [x])), bool: (_, x) => apply('v128.not', [x]) },
  cast: {}, // by both dtypes, below
  bitcast: {}, // no code at all, below
  add: { f32: (_, x, y) => fadd(x, y), ...whole(pair('i32x4.add')) },
  mul: { f32: (_, x, y) => fmul(x, y), ...whole(pair('i32x4.mul')) },
  div: { f32: (_, x, y) => fdiv(x, y), ...signed((sign) => (e, x, y) => divide(e, sign, x, y)) },
  rem: signed((sign) => (e, x, y) => remainder(e, sign, x, y)),
  max: {
    f32: pair('f32x4.max'),
    ...signed((sign) => pair(sign === 's' ? 'i32x4.max_s' : 'i32x4.max_u')),
    bool: pair('v128.or'),
  },
  and: bits('v128.and'),
  or: bits('v128.or'),
  xor: bits('v128.xor'),
  shiftLeft: whole((e, x, y) => shiftLeft(e, x, y)), // by a literal, below
  shiftRight: signed((sign) => (e, x, y) => shiftRight(e, sign, x, y)),
  less: {
    f32: pair('f32x4.lt'),
    ...signed((sign) => pair(sign === 's' ? 'i32x4.lt_s' : 'i32x4.lt_u')),
    bool: (_, x, y) => apply('v128.andnot', [y, x]),
  },
  equal: {
    f32: pair('f32x4.eq'),
    i32: pair('i32x4.eq'),
    u32: pair('i32x4.eq'),
    u8: pair('i32x4.eq'),
    bool: (_, x, y) => apply('v128.not', [apply('v128.xor', [x, y])]),
  },
  where: {}, // of any dtype, below
}

const isNotZero: Step = (e, x) => apply('i32x4.ne', [x, lanesOfBits(e, 0)])
const same: Step = (_, x) => x
const oneWhere: Step = (e, x) => apply('v128.and', [x, lanesOfBits(e, 1)])

const casts: { readonly [From in LaneType]: Steps } = {
  f32: {
    i32: (e, x) => wrap(e, x),
    u32: (e, x) => wrap(e, x),
    u8: (e, x) => byte(e, wrap(e, x)),
    bool: (e, x) => apply('f32x4.ne', [x, lanes(e, 0)]),
  },
  i32: { f32: (_, x) => apply('f32x4.convert_i32x4_s', [x]), u32: same, u8: byte, bool: isNotZero },
  u32: { f32: (_, x) => apply('f32x4.convert_i32x4_u', [x]), i32: same, u8: byte, bool: isNotZero },
  u8: { f32: (_, x) => apply('f32x4.convert_i32x4_s', [x]), i32: same, u32: same, bool: isNotZero },
  bool: { f32: (e, x) => apply('v128.and', [x, lanes(e, 1)]), i32: oneWhere, u32: oneWhere, u8: oneWhere },
}

/** The step that casts; undefined where there is none. */
export const castStep = (from: LaneType, to: LaneType): Step | undefined => (from === to ? same : casts[from][to])

type Apply = Extract<Instruction, { readonly kind: 'apply' }>

const literalValue = (body: BodyStructure, index: number | undefined): number | undefined => {
  const found = index === undefined ? undefined : body.instructions[index]
  return found?.kind === 'literal' ? found.value : undefined
}

/** The step of an instruction, or undefined where it has no vector code. */
const stepOf = (body: BodyStructure, { op, inputs, dtype }: Apply): Step | undefined => {
  const from = at(body.instructions, inputs[0] ?? 0).dtype
  if (!isLaneType(from) || !isLaneType(dtype)) return undefined
  if (op === 'cast') return castStep(from, dtype)
  if (op === 'bitcast') return same
  if (op === 'where') return (_, c, x, y) => apply('v128.bitselect', [x, y, c])
  const by = op === 'shiftLeft' || op === 'shiftRight' ? literalValue(body, inputs[1]) : undefined
  if (by !== undefined) {
    const shift = op === 'shiftLeft' ? 'i32x4.shl' : from === 'i32' ? 'i32x4.shr_s' : 'i32x4.shr_u'
    const shifted: Step = (_, x) => apply(shift, [x, i32(by)])
    return from === 'u8' ? (e, x, y, z) => byte(e, shifted(e, x, y, z)) : shifted
  }
  return steps[op][from]
}

/** Why the body has no vector code; undefined where it has. */
export const whyNotVector = (body: BodyStructure): Unsupported | undefined => {
  for (const instruction of body.instructions) {
    const { kind, dtype } = instruction
    if (!isLaneType(dtype)) return { kind: 'dtype', dtype }
    if (kind === 'index' && dtype === 'bool') return { kind: 'index', dtype }
    if (kind === 'apply' && stepOf(body, instruction) === undefined)
      return { kind: 'primitive', op: instruction.op, dtype }
  }
  return undefined
}

const literal = (e: Emitter, value: number, dtype: LaneType): Expression => {
  if (dtype === 'f32') return lanesOfBits(e, bitsOf(value))
  return lanesOfBits(e, dtype === 'bool' ? -Number(value !== 0) : dtype === 'u8' ? value & 255 : value | 0)
}

/**
 * Writes the body for four elements; the four lanes of each instruction.
 *
 * @param leaf brings those of an instruction that is a load or an index
 * @param known lanes of instructions that are there already
 * @param isNeeded whether an instruction's lanes are asked for; those of others are anything
 */
export const writeInstructions = (
  e: Emitter,
  body: BodyStructure,
  leaf: (e: Emitter, instruction: number) => Expression,
  known: ReadonlyMap<number, Expression> = new Map(),
  isNeeded: (instruction: number) => boolean = () => true,
): readonly Expression[] => {
  const values: Expression[] = []
  body.instructions.forEach((instruction, i) => {
    const given = known.get(i) ?? (isNeeded(i) ? undefined : lanesOfBits(e, 0))
    if (given !== undefined) {
      values.push(given)
      return
    }
    if (instruction.kind === 'literal') {
      values.push(literal(e, instruction.value, instruction.dtype as LaneType))
      return
    }
    if (instruction.kind !== 'apply') {
      values.push(keep(e, 'x', leaf(e, i)))
      return
    }
    const [x, y, z] = instruction.inputs.map((k) => at(values, k))
    const step = stepOf(body, instruction)
    if (step === undefined || x === undefined) throw new Error(`wasm: ${instruction.op} has no vector code`)
    values.push(keep(e, instruction.op, step(e, x, y ?? x, z ?? x)))
  })
  return values
}

/** Writes the body for four elements; the result's four lanes. */
export const writeBody = (
  e: Emitter,
  body: BodyStructure,
  leaf: (e: Emitter, instruction: number) => Expression,
): Expression => at(writeInstructions(e, body, leaf), body.instructions.length - 1)
