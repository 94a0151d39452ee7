/**
 * Code as trees: an expression leaves one value, a statement none. The trees are the text format's own (folded) shape, so that they are
 * printed as they stand, and are encoded by writing operands before their instruction.
 */
import { opcodes, type OpcodeName, type ValueType } from './opcodes.ts'

/** A local variable of a function. */
export interface Local {
  readonly name: string
  readonly type: ValueType
}

/** Code that leaves a value of a type. */
export type Expression =
  | {
      readonly kind: 'apply'
      readonly op: OpcodeName
      readonly args: readonly Expression[]
      readonly immediates: readonly number[]
      readonly type: ValueType
    }
  | { readonly kind: 'constant'; readonly type: 'i32' | 'f32' | 'f64'; readonly value: number }
  | { readonly kind: 'constant'; readonly type: 'i64'; readonly value: bigint }
  | { readonly kind: 'get'; readonly local: Local; readonly type: ValueType }
  | { readonly kind: 'tee'; readonly local: Local; readonly value: Expression; readonly type: ValueType }
  | {
      readonly kind: 'select'
      readonly yes: Expression
      readonly no: Expression
      readonly condition: Expression
      readonly type: ValueType
    }
  | { readonly kind: 'call'; readonly callee: string; readonly args: readonly Expression[]; readonly type: ValueType }

/** Code that leaves nothing. */
export type Statement =
  | { readonly kind: 'set'; readonly local: Local; readonly value: Expression }
  | {
      readonly kind: 'store'
      readonly op: OpcodeName
      readonly args: readonly Expression[]
      readonly immediates: readonly number[]
    }
  | { readonly kind: 'drop'; readonly value: Expression }
  | {
      readonly kind: 'call indirect'
      readonly parameters: readonly ValueType[]
      readonly index: Expression
      readonly args: readonly Expression[]
    }
  | { readonly kind: 'block'; readonly label: string; readonly body: readonly Statement[] }
  | { readonly kind: 'loop'; readonly label: string; readonly body: readonly Statement[] }
  | {
      readonly kind: 'if'
      readonly condition: Expression
      readonly yes: readonly Statement[]
      readonly no: readonly Statement[]
    }
  | { readonly kind: 'branch'; readonly label: string; readonly condition: Expression | undefined }
  | { readonly kind: 'return' }

/** An instruction that leaves a value. Memory instructions take an offset in bytes, lane instructions a lane, last. */
export const apply = (op: OpcodeName, args: readonly Expression[], ...immediates: readonly number[]): Expression => {
  const { operands, result } = opcodes[op]
  if (result === undefined) throw new Error(`${op} leaves no value`)
  check(op, operands, args)
  return { kind: 'apply', op, args, immediates, type: result }
}

const check = (what: string, operands: readonly ValueType[], args: readonly Expression[]): void => {
  const given = args.map((a) => a.type).join(' ')
  if (given !== operands.join(' ')) throw new Error(`${what} takes (${operands.join(' ')}), it was given (${given})`)
}

/** An instruction that writes to memory. */
export const store = (op: OpcodeName, address: Expression, value: Expression, offset = 0): Statement => {
  check(op, opcodes[op].operands, [address, value])
  return { kind: 'store', op, args: [address, value], immediates: [offset] }
}

/** Sets `bytes` bytes from `address` on to `value`. */
export const fill = (address: Expression, value: Expression, bytes: Expression): Statement => {
  const args = [address, value, bytes]
  check('memory.fill', opcodes['memory.fill'].operands, args)
  return { kind: 'store', op: 'memory.fill', args, immediates: [] }
}

/** A constant of i32: a number modulo 2³². */
export const i32 = (value: number): Expression => ({ kind: 'constant', type: 'i32', value: value | 0 })
/** A constant of i64. */
export const i64 = (value: bigint): Expression => ({ kind: 'constant', type: 'i64', value })
/** A constant of f32, to which the number is rounded. */
export const f32 = (value: number): Expression => ({ kind: 'constant', type: 'f32', value })
/** A constant of f64. */
export const f64 = (value: number): Expression => ({ kind: 'constant', type: 'f64', value })

/** The value of a local. */
export const get = (local: Local): Expression => ({ kind: 'get', local, type: local.type })

/** Writes a local. */
export const set = (local: Local, value: Expression): Statement => {
  check(`local.set $${local.name}`, [local.type], [value])
  return { kind: 'set', local, value }
}

/** Writes a local and leaves its value. */
export const tee = (local: Local, value: Expression): Expression => {
  check(`local.tee $${local.name}`, [local.type], [value])
  return { kind: 'tee', local, value, type: local.type }
}

/** `yes` where the condition is not 0, else `no`; both are computed. */
export const select = (condition: Expression, yes: Expression, no: Expression): Expression => {
  check('select', [yes.type, 'i32'], [no, condition])
  return { kind: 'select', yes, no, condition, type: yes.type }
}

/** `x + y` of i32, with constants folded: addresses are made of such sums. */
export const add = (x: Expression, y: Expression): Expression =>
  isConstant(x) && isConstant(y) ? i32(x.value + y.value) : isZero(x) ? y : isZero(y) ? x : apply('i32.add', [x, y])
/** `x − y` of i32; x itself where y is 0. */
export const sub = (x: Expression, y: Expression): Expression => (isZero(y) ? x : apply('i32.sub', [x, y]))
/** `x · y` of i32, with constants folded, and a shift where a factor is a power of two. */
export const mul = (x: Expression, y: Expression): Expression => {
  if (isConstant(x) && isConstant(y)) return i32(Math.imul(x.value, y.value))
  if (isConstant(x)) return mul(y, x)
  if (!isConstant(y)) return apply('i32.mul', [x, y])
  if (y.value === 0) return y
  if (y.value === 1) return x
  const shift = Math.log2(y.value)
  return Number.isInteger(shift) ? apply('i32.shl', [x, i32(shift)]) : apply('i32.mul', [x, y])
}

type IntegerConstant = Extract<Expression, { readonly kind: 'constant' }> & { readonly value: number }
const isConstant = (x: Expression): x is IntegerConstant => x.kind === 'constant' && x.type === 'i32'
const isZero = (x: Expression): boolean => isConstant(x) && x.value === 0

/** A call of a function that leaves a value. */
export const call = (callee: string, type: ValueType, ...args: readonly Expression[]): Expression => ({
  kind: 'call',
  callee,
  args,
  type,
})

/** A call of the function at an index of the table, which leaves nothing. */
export const performIndirect = (index: Expression, ...args: readonly Expression[]): Statement => ({
  kind: 'call indirect',
  parameters: args.map((a) => a.type),
  index,
  args,
})

/** Ends the function. */
export const leave: Statement = { kind: 'return' }

/** Computes and forgets. */
export const drop = (value: Expression): Statement => ({ kind: 'drop', value })

/** Statements behind which a branch to the label goes. */
export const block = (label: string, body: readonly Statement[]): Statement => ({ kind: 'block', label, body })

/** Statements to whose beginning a branch to the label goes. */
export const loop = (label: string, body: readonly Statement[]): Statement => ({ kind: 'loop', label, body })

/** Goes to a label, if the condition is not 0. */
export const branch = (label: string, condition?: Expression): Statement => ({ kind: 'branch', label, condition })

/** One of two lists of statements. */
export const when = (condition: Expression, yes: readonly Statement[], no: readonly Statement[] = []): Statement => ({
  kind: 'if',
  condition,
  yes,
  no,
})

/**
 * `for (index = index; index < limit; index += step) body`: tested before the first turn. The loop is labelled with its index's name, for no loop
 * inside it counts with the same local; loops one after the other may.
 */
export const countTo = (index: Local, limit: Expression, step: number, body: readonly Statement[]): Statement => {
  const isBelow = apply('i32.lt_s', [get(index), limit])
  const next = set(index, add(get(index), i32(step)))
  return when(isBelow, [loop(index.name, [...body, next, branch(index.name, isBelow)])])
}
