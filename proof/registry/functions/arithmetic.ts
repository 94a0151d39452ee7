/** The methods that compute element by element; binary ones broadcast, and take numbers. */
import fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import type { Operand, Tensor } from '../../../src/tensor/tensor.ts'
import { arrays, numbers, type Interval, type NdArray } from '../../array.ts'
import {
  all,
  arithmeticTypes,
  badDType,
  badRange,
  badShape,
  entry,
  isFloating,
  one,
  table,
  wholes,
  type Case,
  type Entry,
} from '../entry.ts'
import { elementwise, remainder, wrapping } from '../primitives/elementwise.ts'
import { leaves } from '../primitives/leaves.ts'
import { broadcastable, builtBy, pointwise, stretched, stretchedAt } from './draw.ts'

type BinaryMethod =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'rem'
  | 'maximum'
  | 'minimum'
  | 'less'
  | 'greater'
  | 'equal'
  | 'notEqual'
  | 'greaterEqual'
  | 'lessEqual'
  | 'and'
  | 'or'
  | 'xor'
  | 'shiftLeft'
  | 'shiftRight'

type Elements = (dtype: DType) => fc.Arbitrary<number>

interface BinarySpec {
  readonly dtypes: readonly DType[]
  readonly f: (x: number, y: number, dtype: DType) => number
  readonly left?: Elements
  readonly right?: Elements
  /** The primitive that errors name, where it has another name. */
  readonly primitive?: string
}

const within =
  (...[low, high]: Interval): Elements =>
  (dtype) =>
    numbers(dtype, [low, high])

const withTensor = (op: BinaryMethod, { f, left = within(-2, 2), right = left }: BinarySpec, d: DType) =>
  broadcastable(2)
    .chain(([a = [], b = []]) => fc.tuple(arrays(a, d, left(d)), arrays(b, d, right(d))))
    .map(([x, y]): Case => {
      const shape = stretched([x.shape, y.shape])
      return {
        inputs: [x, y],
        build: (s, t) => one(s)[op](one(t)),
        oracle: (x, y) => table(shape, (index) => f(stretchedAt(x, index), stretchedAt(y, index), d)),
      }
    })

const withNumber = (op: BinaryMethod, { f, left = within(-2, 2), right = left }: BinarySpec, d: DType) =>
  broadcastable(1)
    .chain(([shape = []]) =>
      fc.tuple(arrays(shape, d, left(d)), isFloating(d) ? right(d) : fc.integer({ min: 1, max: 1 })),
    )
    .map(([x, y]): Case => ({
      inputs: [x],
      build: (s) => one(s)[op](y),
      oracle: (x) => ({ shape: x.shape, data: x.data.map((e) => f(e, y, d)) }),
    }))

const binary = (op: BinaryMethod, spec: BinarySpec, options: Partial<Entry> = {}): Entry => {
  const name = spec.primitive ?? op
  const [first = 'f32'] = spec.dtypes
  const apply = (x?: Tensor, y?: Tensor): Tensor => one(x)[op](one(y))
  return entry({
    dtypes: spec.dtypes,
    cases: (d) =>
      fc.oneof({ weight: 3, arbitrary: withTensor(op, spec, d) }, { weight: 1, arbitrary: withNumber(op, spec, d) }),
    errors: [
      badShape(
        new RegExp(
          `^${name}: \\[(2,3|2,4)\\] and \\[(2,3|2,4)\\] do not broadcast: axis -1 has . against ., and neither is 1$`,
        ),
        [`${first}[2,3]`, `${first}[2,4]`],
        apply,
      ),
      badDType(/dtypes (i32|u32) and (i32|u32) differ; cast one of them$/, ['i32[2]', 'u32[2]'], apply),
      badDType(/^-?0\.5 is not a number of dtype i32; cast the tensor to a float first$/, ['i32[2]'], (x) =>
        one(x)[op](0.5),
      ),
      ...all
        .filter((d) => !spec.dtypes.includes(d) && op !== 'minimum' && op !== 'sub')
        .map((d) => badDType(new RegExp(`takes (numbers|integers).*got ${d}$`), [`${d}[2]`, `${d}[2]`], apply)),
    ],
    ...options,
  })
}

const both: Partial<Entry> = { differentiableIn: [0, 1] }

/** 2.5 … 3 and its negative: away from what it is compared with, on both sides. */
const farFromTwo: Elements = (d) => fc.oneof(numbers(d, [2.6, 3]), numbers(d, [-3, -2.6]))

const bits = (f: (x: bigint, y: bigint) => bigint): BinarySpec['f'] => wrapping(() => NaN, f)

/** Binary methods. */
export const binaryMethods: { readonly [K in BinaryMethod]: Entry } = {
  add: binary(
    'add',
    {
      dtypes: arithmeticTypes,
      f: wrapping(
        (x, y) => x + y,
        (x, y) => x + y,
      ),
    },
    both,
  ),
  sub: binary(
    'sub',
    {
      dtypes: arithmeticTypes,
      primitive: 'add',
      f: wrapping(
        (x, y) => x - y,
        (x, y) => x - y,
      ),
    },
    both,
  ),
  mul: binary(
    'mul',
    {
      dtypes: arithmeticTypes,
      f: wrapping(
        (x, y) => x * y,
        (x, y) => x * y,
      ),
    },
    { ...both, linearIn: [0, 1] },
  ),
  div: binary(
    'div',
    {
      dtypes: arithmeticTypes,
      f: wrapping(
        (x, y) => x / y,
        (x, y) => (y === 0n ? 0n : x / y),
      ),
      right: within(0.4, 3),
    },
    { ...both, linearIn: [0] },
  ),
  // Quotients ±1.1 … ±1.9: away from the jumps at whole numbers.
  rem: binary(
    'rem',
    {
      dtypes: arithmeticTypes,
      f: wrapping(remainder, (x, y) => (y === 0n ? 0n : x % y)),
      left: (d) => fc.oneof(numbers(d, [2.1, 2.9]), numbers(d, [-2.9, -2.1])),
      right: within(1.6, 1.9),
    },
    both,
  ),
  maximum: binary(
    'maximum',
    { dtypes: arithmeticTypes, primitive: 'max', f: (x, y) => Math.max(x, y), left: within(-2, 2), right: farFromTwo },
    both,
  ),
  minimum: binary(
    'minimum',
    {
      dtypes: arithmeticTypes,
      primitive: '(max|less)',
      f: (x, y) => Math.min(x, y),
      left: within(-2, 2),
      right: farFromTwo,
    },
    both,
  ),
  less: binary('less', { dtypes: all, f: (x, y) => Number(x < y) }),
  greater: binary('greater', { dtypes: all, primitive: 'less', f: (x, y) => Number(x > y) }),
  equal: binary('equal', { dtypes: all, f: (x, y) => Number(x === y) }),
  notEqual: binary('notEqual', { dtypes: all, primitive: 'equal', f: (x, y) => Number(x !== y) }),
  greaterEqual: binary('greaterEqual', { dtypes: all, primitive: 'less', f: (x, y) => Number(x >= y) }),
  lessEqual: binary('lessEqual', { dtypes: all, primitive: 'less', f: (x, y) => Number(x <= y) }),
  and: binary('and', { dtypes: [...wholes, 'bool'], f: bits((x, y) => x & y) }),
  or: binary('or', { dtypes: [...wholes, 'bool'], f: bits((x, y) => x | y) }),
  xor: binary('xor', { dtypes: [...wholes, 'bool'], f: bits((x, y) => x ^ y) }),
  shiftLeft: binary('shiftLeft', { dtypes: wholes, f: bits((x, y) => x << (y & 31n)) }),
  shiftRight: binary('shiftRight', { dtypes: wholes, f: bits((x, y) => x >> (y & 31n)) }),
}

const chosen = (dtype: DType): fc.Arbitrary<Case> =>
  fc
    .tuple(broadcastable(3), fc.constantFrom('both', 'yes', 'no'))
    .chain(([[a = [], b = [], c = []], kind]) =>
      fc.record({
        condition: arrays(a, 'bool'),
        yes: arrays(b, dtype),
        no: arrays(c, dtype),
        kind: fc.constant(kind),
      }),
    )
    .map(({ condition, yes, no, kind }): Case => {
      const tensors = kind === 'both' ? [yes, no] : kind === 'yes' ? [yes] : [no]
      const shape = stretched([condition, ...tensors].map((x) => x.shape))
      const value = (x: NdArray | undefined, index: readonly number[]): number =>
        x === undefined ? 1 : stretchedAt(x, index)
      return {
        inputs: [condition, ...tensors],
        build: (p, s, t) => {
          const [y, n]: readonly [Operand, Operand] =
            kind === 'both' ? [one(s), one(t)] : kind === 'yes' ? [one(s), 1] : [1, one(s)]
          return one(p).select(y, n)
        },
        oracle: (c, ...chosenOf) => {
          const [y, n] = kind === 'no' ? [undefined, chosenOf[0]] : [chosenOf[0], chosenOf[1]]
          return table(shape, (i) => value(c !== undefined && stretchedAt(c, i) === 0 ? n : y, i))
        },
      }
    })

const positive =
  (low: number, high: number): Elements =>
  (d) =>
    fc.tuple(numbers(d, [low, high]), fc.boolean()).map(([x, negative]) => (negative ? -x : x))

const exponents = (dtype: DType): fc.Arbitrary<number> =>
  dtype === 'i32'
    ? fc.integer({ min: 0, max: 7 })
    : fc.oneof(fc.integer({ min: -3, max: 7 }), fc.constantFrom(0.5, -0.5, 1.5, 0.3, -1.25, 2.75))

const bases = (dtype: DType, p: number): fc.Arbitrary<number> =>
  dtype === 'i32'
    ? fc.integer({ min: -9, max: 9 })
    : Number.isInteger(p)
      ? positive(0.5, 1.5)(dtype)
      : numbers(dtype, [0.5, 1.5])

const power: Entry = entry({
  dtypes: ['f64', 'f32', 'i32'],
  cases: (dtype) =>
    fc.tuple(broadcastable(1), exponents(dtype)).chain(([[shape = []], p]) =>
      arrays(shape, dtype, bases(dtype, p)).map((x) => ({
        inputs: [x],
        build: (t: Tensor | undefined) => one(t).pow(p),
        oracle: (x) => ({
          shape: x.shape,
          data: x.data.map((e) => (dtype === 'i32' ? Number(BigInt.asIntN(32, BigInt(e) ** BigInt(p))) : e ** p)),
        }),
      })),
    ),
  differentiableIn: [0],
  slack: 8,
  errors: [
    badDType(/^pow: i32 to the power -1 is no integer; cast to a float first$/, ['i32[2]'], (x) => one(x).pow(-1)),
    badDType(
      /^pow: i32 has whole powers only, got the exponent 0\.5; cast the tensor to a float first/,
      ['i32[2]'],
      (x) => one(x).pow(0.5),
    ),
    badRange(/^pow: the exponent must be a finite number, got Infinity/, ['f32[2]'], (x) => one(x).pow(Infinity)),
  ],
})

type UnaryMethod =
  | 'neg'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'sin'
  | 'cos'
  | 'tanh'
  | 'sigmoid'
  | 'erf'
  | 'floor'
  | 'not'
  | 'square'
  | 'abs'
  | 'pow'
  | 'select'
  | 'stopGradient'

/** Unary methods, and select. */
export const unaryMethods: { readonly [K in UnaryMethod]: Entry } = {
  neg: builtBy(elementwise.neg, (x) => one(x).neg()),
  exp: builtBy(elementwise.exp, (x) => one(x).exp()),
  log: builtBy(elementwise.log, (x) => one(x).log()),
  sqrt: builtBy(elementwise.sqrt, (x) => one(x).sqrt()),
  sin: builtBy(elementwise.sin, (x) => one(x).sin()),
  cos: builtBy(elementwise.cos, (x) => one(x).cos()),
  tanh: builtBy(elementwise.tanh, (x) => one(x).tanh()),
  sigmoid: builtBy(elementwise.logistic, (x) => one(x).sigmoid()),
  erf: builtBy(elementwise.erf, (x) => one(x).erf()),
  floor: builtBy(elementwise.floor, (x) => one(x).floor()),
  not: builtBy(elementwise.not, (x) => one(x).not()),
  stopGradient: builtBy(leaves.stopGradient, (x) => one(x).stopGradient()),
  square: pointwise(
    (x) => x.square(),
    (x, d) => (isFloating(d) ? x * x : Number((BigInt(x) * BigInt(x)) % 2n ** 32n)),
    {
      dtypes: arithmeticTypes,
      slack: 0,
      errors: [badDType(/^mul: takes numbers; cast bool first, got bool$/, ['bool[2]'], (x) => one(x).square())],
    },
  ),
  abs: pointwise((x) => x.abs(), Math.abs, {
    dtypes: arithmeticTypes,
    slack: 0,
    errors: [badDType(/^abs: takes a number, got bool; cast it first$/, ['bool[2]'], (x) => one(x).abs())],
  }),
  pow: power,
  select: entry({
    dtypes: all,
    cases: chosen,
    differentiableIn: [1, 2],
    errors: [
      badDType(/^select: the condition must be bool, got f32;/, ['f32[2]', 'f32[2]'], (c, x) =>
        one(c).select(one(x), 0),
      ),
      badDType(/^where: dtypes f32 and f64 differ$/, ['bool[2]', 'f32[2]', 'f64[2]'], (c, x, y) =>
        one(c).select(one(x), one(y)),
      ),
      badShape(/^select: \[2\] and \[3\] do not broadcast/, ['bool[2]', 'f32[3]'], (c, x) => one(c).select(one(x), 0)),
      badDType(/^0\.5 is not a number of dtype i32/, ['bool[2]', 'i32[2]'], (c, x) => one(c).select(one(x), 0.5)),
    ],
  }),
}
