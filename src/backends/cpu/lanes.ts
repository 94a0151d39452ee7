/**
 * Blocked loops: each elementwise primitive over a run of elements. Storing into a typed array rounds or wraps the result, so one
 * loop serves every dtype; what integers do differently has a loop of its own.
 *
 * Written out, not built from scalar functions: a loop around a closure runs 5 to 10 times slower in V8, which cannot inline it.
 */
import { reinterpret, roundTo, type DType, type TypedArray } from '../../graph/dtype.ts'
import type { ElementwiseOp } from '../../graph/ops.ts'
import { erf } from '../../prelude/erf.ts'
import { scalarRules } from './scalar.ts'

/** Numbers in registers: f16 is held rounded in a Float32Array. */
export type Lanes = Exclude<TypedArray, Uint16Array>

/** An operand of a loop: an array and where its run begins. */
export interface Run {
  array: Lanes
  start: number
}

/** out[o + i] = f(a[i], b[i], c[i]) for i < n. */
export type Loop = (out: Lanes, o: number, a: Run, b: Run, c: Run, n: number) => void

const add: Loop = (out, o, { array: x, start: p }, { array: y, start: q }, _, n) => {
  for (let i = 0; i < n; i++) out[o + i] = (x[p + i] as number) + (y[q + i] as number)
}

const mul: Loop = (out, o, { array: x, start: p }, { array: y, start: q }, _, n) => {
  for (let i = 0; i < n; i++) out[o + i] = (x[p + i] as number) * (y[q + i] as number)
}

/** As {@link add}, apart from it so that each loop meets one kind of array: V8 compiles a loop that met several far worse. */
const integerAdd: Loop = (out, o, { array: x, start: p }, { array: y, start: q }, _, n) => {
  for (let i = 0; i < n; i++) out[o + i] = ((x[p + i] as number) + (y[q + i] as number)) | 0
}

const integerMul: Loop = (out, o, { array: x, start: p }, { array: y, start: q }, _, n) => {
  for (let i = 0; i < n; i++) out[o + i] = Math.imul(x[p + i] as number, y[q + i] as number)
}

const div: Loop = (out, o, { array: x, start: p }, { array: y, start: q }, _, n) => {
  for (let i = 0; i < n; i++) out[o + i] = (x[p + i] as number) / (y[q + i] as number)
}

const max: Loop = (out, o, { array: x, start: p }, { array: y, start: q }, _, n) => {
  for (let i = 0; i < n; i++) out[o + i] = Math.max(x[p + i] as number, y[q + i] as number)
}

const neg: Loop = (out, o, { array: x, start: p }, _b, _c, n) => {
  for (let i = 0; i < n; i++) out[o + i] = -(x[p + i] as number)
}

const exp: Loop = (out, o, { array: x, start: p }, _b, _c, n) => {
  for (let i = 0; i < n; i++) out[o + i] = Math.exp(x[p + i] as number)
}

const sqrt: Loop = (out, o, { array: x, start: p }, _b, _c, n) => {
  for (let i = 0; i < n; i++) out[o + i] = Math.sqrt(x[p + i] as number)
}

const sigmoid: Loop = (out, o, { array: x, start: p }, _b, _c, n) => {
  for (let i = 0; i < n; i++) {
    const v = x[p + i] as number
    const e = Math.exp(-Math.abs(v))
    out[o + i] = (v >= 0 ? 1 : e) / (1 + e)
  }
}

const erfLoop: Loop = (out, o, { array: x, start: p }, _b, _c, n) => {
  for (let i = 0; i < n; i++) out[o + i] = erf(x[p + i] as number)
}

const copy: Loop = (out, o, { array: x, start: p }, _b, _c, n) => {
  for (let i = 0; i < n; i++) out[o + i] = x[p + i] as number
}

const truncate: Loop = (out, o, { array: x, start: p }, _b, _c, n) => {
  for (let i = 0; i < n; i++) out[o + i] = Math.trunc(x[p + i] as number)
}

const truth: Loop = (out, o, { array: x, start: p }, _b, _c, n) => {
  for (let i = 0; i < n; i++) out[o + i] = Number((x[p + i] as number) !== 0)
}

const and: Loop = (out, o, { array: x, start: p }, { array: y, start: q }, _, n) => {
  for (let i = 0; i < n; i++) out[o + i] = (x[p + i] as number) & (y[q + i] as number)
}

const or: Loop = (out, o, { array: x, start: p }, { array: y, start: q }, _, n) => {
  for (let i = 0; i < n; i++) out[o + i] = (x[p + i] as number) | (y[q + i] as number)
}

const xor: Loop = (out, o, { array: x, start: p }, { array: y, start: q }, _, n) => {
  for (let i = 0; i < n; i++) out[o + i] = (x[p + i] as number) ^ (y[q + i] as number)
}

const shiftLeft: Loop = (out, o, { array: x, start: p }, { array: y, start: q }, _, n) => {
  for (let i = 0; i < n; i++) out[o + i] = (x[p + i] as number) << (y[q + i] as number)
}

const shiftRight: Loop = (out, o, { array: x, start: p }, { array: y, start: q }, _, n) => {
  for (let i = 0; i < n; i++) out[o + i] = (x[p + i] as number) >>> (y[q + i] as number)
}

const shiftRightSigned: Loop = (out, o, { array: x, start: p }, { array: y, start: q }, _, n) => {
  for (let i = 0; i < n; i++) out[o + i] = (x[p + i] as number) >> (y[q + i] as number)
}

const less: Loop = (out, o, { array: x, start: p }, { array: y, start: q }, _, n) => {
  for (let i = 0; i < n; i++) out[o + i] = Number((x[p + i] as number) < (y[q + i] as number))
}

const equal: Loop = (out, o, { array: x, start: p }, { array: y, start: q }, _, n) => {
  for (let i = 0; i < n; i++) out[o + i] = Number((x[p + i] as number) === (y[q + i] as number))
}

const where: Loop = (out, o, { array: c, start: r }, { array: x, start: p }, { array: y, start: q }, n) => {
  for (let i = 0; i < n; i++) out[o + i] = (c[r + i] as number) === 0 ? (y[q + i] as number) : (x[p + i] as number)
}

const integerWhere: Loop = (out, o, { array: c, start: r }, { array: x, start: p }, { array: y, start: q }, n) => {
  for (let i = 0; i < n; i++) out[o + i] = (c[r + i] as number) === 0 ? (y[q + i] as number) : (x[p + i] as number)
}

/** Primitives that are rare enough to go through their scalar rule. */
const viaScalar =
  (op: ElementwiseOp, dtype: DType, to: DType): Loop =>
  (out, o, { array: x, start: p }, { array: y, start: q }, _, n) => {
    const rule = scalarRules[op]
    for (let i = 0; i < n; i++) out[o + i] = rule(x[p + i] as number, y[q + i] as number, 0, dtype, to)
  }

const bitcast =
  (from: DType, to: DType): Loop =>
  (out, o, { array: x, start: p }, _b, _c, n) => {
    for (let i = 0; i < n; i++) out[o + i] = reinterpret(x[p + i] as number, from, to)
  }

type Choice = (dtype: DType, to: DType) => Loop

const isWide = (dtype: DType): boolean => dtype === 'i32' || dtype === 'u32'
const isIntegral = (dtype: DType): boolean => isWide(dtype) || dtype === 'u8'

const castLoop: Choice = (_, to) => (to === 'bool' ? truth : isIntegral(to) ? truncate : copy)

const always =
  (loop: Loop): Choice =>
  () =>
    loop

const scalar =
  (op: ElementwiseOp): Choice =>
  (dtype, to) =>
    viaScalar(op, dtype, to)

const choices: { readonly [K in ElementwiseOp]: Choice } = {
  neg: always(neg),
  exp: always(exp),
  log: scalar('log'),
  sqrt: always(sqrt),
  sin: scalar('sin'),
  cos: scalar('cos'),
  tanh: scalar('tanh'),
  logistic: always(sigmoid),
  erf: always(erfLoop),
  floor: scalar('floor'),
  not: scalar('not'),
  cast: castLoop,
  bitcast: (dtype, to) => bitcast(dtype, to),
  add: (dtype) => (isWide(dtype) ? integerAdd : add),
  mul: (dtype) => (isWide(dtype) ? integerMul : mul),
  div: (dtype, to) => (isIntegral(dtype) ? viaScalar('div', dtype, to) : div),
  rem: scalar('rem'),
  max: always(max),
  and: always(and),
  or: always(or),
  xor: always(xor),
  shiftLeft: always(shiftLeft),
  shiftRight: (dtype) => (dtype === 'i32' ? shiftRightSigned : shiftRight),
  less: always(less),
  equal: always(equal),
  where: (_, to) => (to === 'f32' ? where : integerWhere),
}

const roundHalves = roundTo.f16

/** The loop of a primitive for inputs of `dtype` and a result of dtype `to`; f16 results are rounded after it. */
export const loopFor = (op: ElementwiseOp, dtype: DType, to: DType): Loop => {
  const loop = choices[op](dtype, to)
  if (to !== 'f16') return loop
  const wide = new Float64Array(blockSize) // one rounding, from f64: not through f32
  return (out, o, a, b, c, n) => {
    loop(wide, 0, a, b, c, n)
    for (let i = 0; i < n; i++) out[o + i] = roundHalves(wide[i] as number)
  }
}

/** Elements of a block: with ten f32 registers of this length a kernel's working set stays in the second-level cache. */
export const blockSize = 2048
