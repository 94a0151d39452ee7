/** Elementary functions of one number and of two, held to those of JavaScript. */
import fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import { acosh, asinh, atanh, cosh, sinh } from '../../../src/tensor/hyperbolic.ts'
import { exp2, expm1, log10, log1p, log2, logaddexp, logSigmoid } from '../../../src/tensor/logarithms.ts'
import { hypot, power, rsqrt } from '../../../src/tensor/powers.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { acos, asin, atan, atan2, tan } from '../../../src/tensor/trigonometry.ts'
import { numbers } from '../../array.ts'
import { badDType, one, type Entry } from '../entry.ts'
import { pairwise, pointwise, type Options } from './draw.ts'

const within =
  (low: number, high: number) =>
  (dtype: DType): fc.Arbitrary<number> =>
    numbers(dtype, [low, high])

const ofFloats = (
  name: string,
  f: (x: Tensor) => Tensor,
  oracle: (x: number) => number,
  [low, high]: readonly [number, number],
  options: Options = {},
): Entry =>
  pointwise(f, oracle, {
    elements: within(low, high),
    slack: 2,
    errors: [badDType(new RegExp(`^${name}: takes a float, got i32; cast it first$`), ['i32[2]'], (x) => f(one(x)))],
    ...options,
  })

/** Sizes from `low` to `high`, of both signs. */
const ofBothSigns =
  (low: number, high: number) =>
  (dtype: DType): fc.Arbitrary<number> =>
    fc.tuple(numbers(dtype, [low, high]), fc.boolean()).map(([x, negative]) => (negative ? -x : x))

/** xʸ of IEEE 754, where JavaScript's 1^NaN and (±1)^±∞ are NaN. */
const powerOf = (x: number, y: number): number =>
  x === 1 || (Math.abs(x) === 1 && Math.abs(y) === Infinity) ? 1 : x ** y

type Name =
  | 'log1p'
  | 'expm1'
  | 'log2'
  | 'log10'
  | 'exp2'
  | 'logaddexp'
  | 'logSigmoid'
  | 'tan'
  | 'asin'
  | 'acos'
  | 'atan'
  | 'atan2'
  | 'sinh'
  | 'cosh'
  | 'asinh'
  | 'acosh'
  | 'atanh'
  | 'rsqrt'
  | 'hypot'
  | 'power'

/** A row for each. */
export const elementaryFunctions: { readonly [K in Name]: Entry } = {
  log1p: ofFloats('log1p', log1p, Math.log1p, [-0.8, 4]),
  expm1: ofFloats('expm1', expm1, Math.expm1, [-3, 3]),
  log2: ofFloats('log2', log2, Math.log2, [0.3, 9]),
  log10: ofFloats('log10', log10, Math.log10, [0.3, 11]),
  exp2: ofFloats('exp2', exp2, (x) => 2 ** x, [-4, 4]),
  logSigmoid: ofFloats('logSigmoid', logSigmoid, (x) => Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x))), [-9, 9]),
  tan: ofFloats('tan', tan, Math.tan, [-1.2, 1.2]),
  asin: ofFloats('asin', asin, Math.asin, [-0.8, 0.8]),
  acos: ofFloats('acos', acos, Math.acos, [-0.8, 0.8]),
  atan: ofFloats('atan', atan, Math.atan, [-4, 4]),
  sinh: ofFloats('sinh', sinh, Math.sinh, [-3, 3]),
  cosh: ofFloats('cosh', cosh, Math.cosh, [-3, 3]),
  asinh: ofFloats('asinh', asinh, Math.asinh, [-4, 4]),
  acosh: ofFloats('acosh', acosh, Math.acosh, [1.3, 5]),
  atanh: ofFloats('atanh', atanh, Math.atanh, [-0.8, 0.8]),
  rsqrt: ofFloats('rsqrt', rsqrt, (x) => 1 / Math.sqrt(x), [0.4, 4]),
  logaddexp: pairwise('logaddexp', logaddexp, (x, y) =>
    x === y ? x + Math.LN2 : Math.max(x, y) + Math.log1p(Math.exp(-Math.abs(x - y))),
  ),
  atan2: pairwise('atan2', atan2, Math.atan2, { left: ofBothSigns(0.5, 2) }),
  hypot: pairwise('hypot', hypot, (x, y) => Math.hypot(x, y), { left: ofBothSigns(0.5, 2) }),
  power: pairwise('power', power, powerOf, {
    left: within(0.5, 2),
    right: within(-3, 3),
    slack: 4,
    ends: {
      offset: '(2⁴⁰)^(2⁴⁰) is ∞, and near 1 the error of the logarithm is multiplied by as much',
    },
  }),
}
