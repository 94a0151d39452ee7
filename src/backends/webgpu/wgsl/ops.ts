/** The elementwise primitives as WGSL, each with the meaning that cpu/scalar.ts gives it. */
import { isFloat, type DType } from '../../../graph/dtype.ts'
import type { ElementwiseOp } from '../../../graph/ops.ts'
import type { FunctionName } from './functions.ts'
import { laneType, type Shader } from './shader.ts'

/** What an operation is applied to: names of variables, the first operand's dtype, and the result's. */
interface Operands {
  readonly shader: Shader
  readonly x: string
  readonly y: string
  readonly z: string
  readonly from: DType
  readonly to: DType
}

type Writer = (operands: Operands) => string

const call =
  (name: FunctionName): Writer =>
  ({ shader, x }) =>
    `${shader.use(name)}(${x})`

/** One function for floats, another or an expression for whole numbers. */
const byKind =
  (floats: FunctionName, whole: (x: string, y: string, dtype: DType, shader: Shader) => string): Writer =>
  ({ shader, x, y, from }) =>
    isFloat(from) ? `${shader.use(floats)}(${y === '' ? x : `${x}, ${y}`})` : whole(x, y, from, shader)

const plain =
  (sign: string): Writer =>
  ({ x, y }) =>
    `${x} ${sign} ${y}`

const truth = (condition: string): string => `u32(${condition})`

const divide =
  (what: 'div' | 'rem') =>
  (x: string, y: string, dtype: DType, shader: Shader): string =>
    `${shader.use(dtype === 'i32' ? `${what}_i32` : `${what}_u32`)}(${x}, ${y})`

const shift =
  (sign: '<<' | '>>'): Writer =>
  ({ x, y }) =>
    `${x} ${sign} (u32(${y}) & 31u)`

/** A float as a whole number: truncated, modulo 2³². */
const wrapped = (shader: Shader, x: string, to: 'i32' | 'u32'): string => `${shader.use(`${to}_of_f32`)}(${x})`

const cast: Writer = ({ shader, x, from, to }) => {
  if (to === 'bool')
    return isFloat(from) ? `u32(!${shader.use('equal_f32')}(${x}, 0.0f))` : truth(`${x} != ${laneType(from)}(0)`)
  if (isFloat(to)) {
    if (isFloat(from)) return x
    return from === 'i32' ? `${shader.use('f32_of_i32')}(${x})` : `${shader.use('f32_of_u32')}(${x})`
  }
  if (isFloat(from)) return wrapped(shader, x, to === 'i32' ? 'i32' : 'u32')
  return `${laneType(to)}(${x})`
}

const writers: { readonly [K in ElementwiseOp]: Writer } = {
  neg: byKind('neg_f32', (x, _, dtype) => (dtype === 'i32' ? `-${x}` : `0u - ${x}`)),
  exp: call('exp_f32'),
  log: call('log_f32'),
  sqrt: call('sqrt_f32'),
  sin: call('sin_f32'),
  cos: call('cos_f32'),
  tanh: call('tanh_f32'),
  logistic: call('logistic_f32'),
  erf: call('erf_f32'),
  floor: byKind('floor_f32', (x) => x),
  not: ({ x, from }) => (from === 'bool' ? `1u - ${x}` : `~${x}`),
  cast,
  bitcast: ({ x, to }) => `bitcast<${laneType(to)}>(${x})`,
  add: plain('+'),
  mul: plain('*'),
  div: byKind('div_f32', divide('div')),
  rem: byKind('rem_f32', divide('rem')),
  max: byKind('max_f32', (x, y) => `max(${x}, ${y})`),
  and: plain('&'),
  or: plain('|'),
  xor: plain('^'),
  shiftLeft: shift('<<'),
  shiftRight: shift('>>'),
  less: ({ shader, x, y, from }) => truth(isFloat(from) ? `${shader.use('less_f32')}(${x}, ${y})` : `${x} < ${y}`),
  equal: ({ shader, x, y, from }) => truth(isFloat(from) ? `${shader.use('equal_f32')}(${x}, ${y})` : `${x} == ${y}`),
  where: ({ x, y, z }) => `select(${z}, ${y}, ${x} != 0u)`,
}

/** A value rounded to its dtype as memory would hold it. */
export const rounded = (shader: Shader, value: string, dtype: DType): string => {
  if (dtype === 'f16') return `${shader.use('round_half')}(${value})`
  if (dtype === 'u8') return `(${value}) & 255u`
  return dtype === 'bool' ? truth(`(${value}) != 0u`) : value
}

/** Results that are in their dtype already. */
const exact: ReadonlySet<ElementwiseOp> = new Set([
  'less',
  'equal',
  'where',
  'max',
  'and',
  'or',
  'xor',
  'floor',
  'bitcast',
])

/** An operation on values that are held in variables. */
export const applied = (op: ElementwiseOp, operands: Operands): string => {
  const value = writers[op](operands)
  const { shader, to } = operands
  const needsNone = exact.has(op) || (op === 'not' && to === 'bool') || (to === 'f16' && op === 'neg')
  return needsNone ? value : rounded(shader, value, to)
}
