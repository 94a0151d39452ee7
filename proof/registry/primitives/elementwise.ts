/** Elementwise primitives. */
import fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import type { ElementwiseOp, Ops } from '../../../src/graph/ops.ts'
import { arrays, numbers, shapes, type Interval } from '../../array.ts'
import {
  all,
  arithmeticTypes,
  badDType,
  badShape,
  entry,
  floats,
  inputOf,
  isFloating,
  wholes,
  type Case,
  type Entry,
  type Misuse,
} from '../entry.ts'
import { apply } from './node.ts'

type Bare = { readonly [K in ElementwiseOp]: Ops[K]['attrs'] extends Record<never, never> ? K : never }[ElementwiseOp]
type Unary = Extract<
  Bare,
  'neg' | 'exp' | 'log' | 'sqrt' | 'sin' | 'cos' | 'tanh' | 'logistic' | 'erf' | 'floor' | 'not'
>
type Binary = Exclude<Bare, Unary | 'where' | 'cast' | 'bitcast'>

/** Elements that pass through `f` one by one. */
const unaryCases =
  (build: Case['build'], f: (x: number, dtype: DType) => number, elements: (dtype: DType) => fc.Arbitrary<number>) =>
  (dtype: DType): fc.Arbitrary<Case> =>
    inputOf(dtype, 0, 4, elements(dtype)).map((x) => ({
      inputs: [x],
      build,
      oracle: (x) => ({ shape: x.shape, data: x.data.map((e) => f(e, dtype)) }),
    }))

/** What floats hold besides numbers of moderate size. */
const special = fc.constantFrom(0, -0, Infinity, -Infinity, NaN, -1, 1e4, -1e4)

const withSpecial =
  (domain: Interval) =>
  (dtype: DType): fc.Arbitrary<number> =>
    isFloating(dtype)
      ? fc.oneof({ weight: 9, arbitrary: numbers(dtype, domain) }, { weight: 1, arbitrary: special })
      : numbers(dtype, domain)

const unary = (
  op: Unary,
  dtypes: readonly DType[],
  f: (x: number, dtype: DType) => number,
  domain: Interval,
  options: Partial<Entry> = {},
): Entry =>
  entry({
    dtypes,
    cases: unaryCases((x) => apply(op, {}, x), f, withSpecial(domain)),
    ...(dtypes.includes('f64')
      ? {
          smooth: unaryCases(
            (x) => apply(op, {}, x),
            f,
            (d) => numbers(d, domain),
          )('f64'),
        }
      : {}),
    errors: all
      .filter((d) => !dtypes.includes(d))
      .map((d) =>
        badDType(new RegExp(`^${op}: takes a.* got ${d}; cast it first$`), [`${d}[2]`], (x) => apply(op, {}, x)),
      ),
    ...options,
  })

const smooth: Partial<Entry> = { differentiableIn: [0], slack: 1 }

const big = (x: number): bigint => BigInt(Math.trunc(x))

/** Exact integer arithmetic, for dtypes whose products leave the doubles. */
export const wrapping =
  (float: (x: number, y: number) => number, whole: (x: bigint, y: bigint) => bigint) =>
  (x: number, y: number, dtype: DType): number => {
    if (isFloating(dtype)) return float(x, y)
    const exact = whole(big(x), big(y))
    return Number(dtype === 'i32' ? BigInt.asIntN(32, exact) : BigInt.asUintN(dtype === 'u8' ? 8 : 32, exact))
  }

/** A finite x below 2⁹⁰⁰ that is a multiple of 2⁻¹²⁰ as a whole number of these. */
const inSteps = (x: number): bigint => BigInt(x * 2 ** 120)

/** x − y·trunc(x / y) without rounding, which is x where y is infinite. */
export const remainder = (x: number, y: number): number => {
  if (!Number.isFinite(x) || Number.isNaN(y) || y === 0) return NaN
  return Math.abs(y) === Infinity ? x : Number(inSteps(x) % inSteps(y)) / 2 ** 120
}

const bitwise = (f: (x: bigint, y: bigint) => bigint) => wrapping(() => NaN, f)

const binaryErrors = (op: Binary, dtypes: readonly DType[]): readonly Misuse[] => [
  badShape(new RegExp(`^${op}: shapes \\[2\\] and \\[3\\] differ; broadcast first$`), ['i32[2]', 'i32[3]'], (x, y) =>
    apply(op, {}, x, y),
  ),
  badDType(new RegExp(`^${op}: dtypes i32 and u32 differ; cast one of them$`), ['i32[2]', 'u32[2]'], (x, y) =>
    apply(op, {}, x, y),
  ),
  ...all
    .filter((d) => !dtypes.includes(d))
    .map((d) =>
      badDType(new RegExp(`^${op}: takes (numbers|integers).*got ${d}$`), [`${d}[2]`, `${d}[2]`], (x, y) =>
        apply(op, {}, x, y),
      ),
    ),
]

const around0: readonly [Interval, Interval] = [
  [-2, 2],
  [-2, 2],
]

const binary = (
  op: Binary,
  dtypes: readonly DType[],
  f: (x: number, y: number, dtype: DType) => number,
  domains = around0,
  options: Partial<Entry> = {},
): Entry =>
  entry({
    dtypes,
    cases: (dtype) =>
      shapes()
        .chain((shape) =>
          fc.tuple(arrays(shape, dtype, numbers(dtype, domains[0])), arrays(shape, dtype, numbers(dtype, domains[1]))),
        )
        .map(([x, y]) => ({
          inputs: [x, y],
          build: (a, b) => apply(op, {}, a, b),
          oracle: (x, y) => ({ shape: x.shape, data: x.data.map((e, i) => f(e, y.data[i] ?? 0, dtype)) }),
        })),
    errors: binaryErrors(op, dtypes),
    ...options,
  })

const both: Partial<Entry> = { differentiableIn: [0, 1] }

/** erf x = 2/√π ∫₀ˣ e^(−t²) dt, by Simpson's rule with 2000 panels: error below 1e-13 on [−3, 3]. */
export const erfBySimpson = (x: number): number => {
  if (Math.abs(x) > 6) return Math.sign(x) // 1 − erf 6 < 3e-17
  const n = 2000
  const h = x / n
  const f = (i: number): number => Math.exp(-((i * h) ** 2))
  let sum = f(0) + f(n)
  for (let i = 1; i < n; i++) sum += (i % 2 === 1 ? 4 : 2) * f(i)
  return ((2 / Math.sqrt(Math.PI)) * sum * h) / 3
}

const cast: Entry = entry({
  dtypes: all,
  cases: (from) =>
    fc
      .tuple(inputOf(from, 0, 3, numbers(from, [-300, 300])), fc.constantFrom(...all))
      .map(([x, dtype]) => ({ inputs: [x], build: (t) => apply('cast', { dtype }, t), oracle: (x) => x })),
  smooth: inputOf('f64').map((x) => ({ inputs: [x], build: (t) => apply('cast', { dtype: 'f64' }, t) })),
  differentiableIn: [0],
  linearIn: [0],
})

const fourBytes: readonly DType[] = ['f32', 'i32', 'u32']

const bitsOf = (x: number, from: DType, to: DType): number => {
  const source = from === 'f32' ? new Float32Array([x]) : from === 'i32' ? new Int32Array([x]) : new Uint32Array([x])
  const target =
    to === 'f32'
      ? new Float32Array(source.buffer)
      : to === 'i32'
        ? new Int32Array(source.buffer)
        : new Uint32Array(source.buffer)
  return target[0] ?? NaN
}

const bitcast: Entry = entry({
  dtypes: fourBytes,
  cases: (from) => {
    const patterns = fc.oneof(numbers('f32'), fc.constantFrom(-0, Infinity, Math.fround(1e-40)))
    const elements = from === 'f32' ? patterns : fc.integer({ min: 0, max: 0x7f7f_ffff })
    return fc.tuple(inputOf(from, 0, 3, elements), fc.constantFrom(...fourBytes)).map(([x, to]) => ({
      inputs: [x],
      build: (t) => apply('bitcast', { dtype: to }, t),
      oracle: (x) => ({ shape: x.shape, data: x.data.map((e) => bitsOf(e, from, to)) }),
    }))
  },
  errors: [
    badDType(/^bitcast: needs two dtypes of four bytes, got f64 → i32$/, ['f64[2]'], (x) =>
      apply('bitcast', { dtype: 'i32' }, x),
    ),
    badDType(/^bitcast: needs two dtypes of four bytes, got f32 → f16$/, ['f32[2]'], (x) =>
      apply('bitcast', { dtype: 'f16' }, x),
    ),
  ],
})

const where: Entry = entry({
  dtypes: all,
  cases: (d) =>
    shapes()
      .chain((shape) => fc.tuple(arrays(shape, 'bool'), arrays(shape, d), arrays(shape, d)))
      .map(([c, x, y]) => ({
        inputs: [c, x, y],
        build: (p, a, b) => apply('where', {}, p, a, b),
        oracle: (c, x, y) => ({ shape: c.shape, data: c.data.map((e, i) => (e === 0 ? y : x).data[i] ?? NaN) }),
      })),
  differentiableIn: [1, 2],
  errors: [
    badDType(/^where: the condition must be bool, got i32$/, ['i32[2]', 'f32[2]', 'f32[2]'], (c, x, y) =>
      apply('where', {}, c, x, y),
    ),
    badDType(/^where: dtypes f32 and f64 differ$/, ['bool[2]', 'f32[2]', 'f64[2]'], (c, x, y) =>
      apply('where', {}, c, x, y),
    ),
    badShape(/^where: shapes \[2\], \[2\] and \[1\] differ$/, ['bool[2]', 'f32[2]', 'f32[1]'], (c, x, y) =>
      apply('where', {}, c, x, y),
    ),
    badShape(/^where: shapes \[1\], \[2\] and \[2\] differ$/, ['bool[1]', 'f32[2]', 'f32[2]'], (c, x, y) =>
      apply('where', {}, c, x, y),
    ),
  ],
})

/** A row for each. */
export const elementwise: { readonly [K in ElementwiseOp]: Entry } = {
  neg: unary('neg', arithmeticTypes, (x) => -x, [-2, 2], { differentiableIn: [0], linearIn: [0] }),
  exp: unary('exp', floats, Math.exp, [-3, 3], smooth),
  log: unary('log', floats, Math.log, [0.2, 5], smooth),
  sqrt: unary('sqrt', floats, Math.sqrt, [0.3, 5], { differentiableIn: [0] }),
  sin: unary('sin', floats, Math.sin, [-4, 4], smooth),
  cos: unary('cos', floats, Math.cos, [-4, 4], smooth),
  tanh: unary('tanh', floats, Math.tanh, [-3, 3], smooth),
  logistic: unary('logistic', floats, (x) => 1 / (1 + Math.exp(-x)), [-4, 4], smooth),
  erf: unary('erf', floats, erfBySimpson, [-3, 3], smooth),
  floor: unary('floor', floats, Math.floor, [-4, 4]),
  not: unary('not', [...wholes, 'bool'], (x, d) => (d === 'bool' ? 1 - x : -x - 1), [0, 0]),
  cast,
  bitcast,
  add: binary(
    'add',
    arithmeticTypes,
    wrapping(
      (x, y) => x + y,
      (x, y) => x + y,
    ),
    around0,
    both,
  ),
  mul: binary(
    'mul',
    arithmeticTypes,
    wrapping(
      (x, y) => x * y,
      (x, y) => x * y,
    ),
    around0,
    { ...both, linearIn: [0, 1] },
  ),
  div: binary(
    'div',
    arithmeticTypes,
    wrapping(
      (x, y) => x / y,
      (x, y) => (y === 0n ? 0n : x / y),
    ),
    [
      [-2, 2],
      [0.4, 3],
    ],
    { ...both, linearIn: [0] },
  ),
  // Quotients 1.1 … 1.9: away from the jumps at whole numbers.
  rem: binary(
    'rem',
    arithmeticTypes,
    wrapping(remainder, (x, y) => (y === 0n ? 0n : x % y)),
    [
      [2.1, 2.9],
      [1.6, 1.9],
    ],
    both,
  ),
  // Away from equal elements, on both sides of them: the second operand is 2.5 … 3 or its negative.
  max: binary('max', arithmeticTypes, (x, y) => Math.max(x, y), around0, {
    ...both,
    smooth: shapes()
      .chain((shape) =>
        fc.tuple(
          arrays(shape, 'f64'),
          arrays(shape, 'f64', fc.oneof(numbers('f64', [2.5, 3]), numbers('f64', [-3, -2.5]))),
        ),
      )
      .map(([x, y]) => ({ inputs: [x, y], build: (a, b) => apply('max', {}, a, b) })),
  }),
  and: binary(
    'and',
    [...wholes, 'bool'],
    bitwise((x, y) => x & y),
  ),
  or: binary(
    'or',
    [...wholes, 'bool'],
    bitwise((x, y) => x | y),
  ),
  xor: binary(
    'xor',
    [...wholes, 'bool'],
    bitwise((x, y) => x ^ y),
  ),
  shiftLeft: binary(
    'shiftLeft',
    wholes,
    bitwise((x, y) => x << (y & 31n)),
  ),
  shiftRight: binary(
    'shiftRight',
    wholes,
    bitwise((x, y) => x >> (y & 31n)),
  ),
  less: binary('less', all, (x, y) => Number(x < y)),
  equal: binary('equal', all, (x, y) => Number(x === y)),
  where,
}
