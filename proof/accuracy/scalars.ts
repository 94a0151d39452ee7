/**
 * The functions of one number whose accuracy is measured, each with two oracles of its own.
 *
 * `double` judges f16 and f32. It is built from Math.*, which is good for it: V8's exp, log, sin, cos and tanh are fdlibm's, off by less than 1
 * ulp of an f64, which is 2⁻²⁹ ulp of an f32; the table of f64 shows that they are. Where a formula multiplies such an error (e^(−x²/2) of a
 * rounded exponent up to 104: seven bits), 2⁻²² ulp remain. `exact` judges f64, in big integers.
 */
import type { Tensor } from '../../src/tensor/tensor.ts'
import { gelu, geluTanh, silu } from '../../src/tensor/activations.ts'
import { erf, erfc } from './chebyshev.ts'
import * as exact from './exact.ts'
import { exactly, squareRoot, type Real } from './real.ts'

/** A function of one number. */
export interface ScalarFunction {
  readonly name: string
  /** Arguments below it (and NaN) are left out, where a row of the table speaks of a part of the function. */
  readonly from?: number
  readonly apply: (x: Tensor) => Tensor
  /** In f64, right to far below an ulp of f32. */
  readonly double: (x: number) => number
  /** For finite arguments that are not 0 and not special. */
  readonly exact: (x: Real) => Real
  /** The value at NaN, ±∞, ±0 and where the function ends; undefined elsewhere. */
  readonly special: (x: number) => number | undefined
  /** Where most f64 arguments are taken: outside, the function is constant, overflows or underflows. */
  readonly interesting: readonly [low: number, high: number]
  /** Places where implementations change their formula, overflow or underflow. */
  readonly thresholds: readonly number[]
}

/** The function's values at −∞, ∞ and 0 (−0 is given too). */
const ends =
  (atMinusInfinity: number, atInfinity: number, atZero: (x: number) => number) =>
  (x: number): number | undefined => {
    if (Number.isNaN(x)) return NaN
    if (x === 0) return atZero(x)
    return x === Infinity ? atInfinity : x === -Infinity ? atMinusInfinity : undefined
  }

const itself = (x: number): number => x

/** For x ≥ 0 only. */
const fromZero =
  (special: (x: number) => number | undefined) =>
  (x: number): number | undefined =>
    x < 0 ? NaN : special(x)

/** x · share(x), with its limit −0 at −∞, where the product itself is ∞ · 0. */
const gated =
  (share: (x: number) => number) =>
  (x: number): number =>
    x === -Infinity ? -0 : x * share(x)

const rootTwoOverPi = Math.sqrt(2 / Math.PI)

const gates = ends(-0, Infinity, itself)

/** Φ has a long left tail, which 1 + erf cannot give: the rest of the function has a row of its own. */
const exactGelu: ScalarFunction = {
  name: 'gelu',
  apply: gelu,
  double: gated((x) => erfc(-x * Math.SQRT1_2) / 2),
  exact: exact.gelu,
  special: gates,
  interesting: [-39, 9],
  thresholds: [-5.5, -8.3, -14.2, -37.5, -38.5, -38.6],
}

/** In the order of the tables. */
export const scalarFunctions: readonly ScalarFunction[] = [
  {
    name: 'exp',
    apply: (x) => x.exp(),
    double: Math.exp,
    exact: exact.exp,
    special: ends(0, Infinity, () => 1),
    interesting: [-746, 710],
    thresholds: [
      709.782712893384, 709.7827128933841, -708.3964185322641, -744.4400719213812, -745.1332191019412, 88.72283,
      -87.33654, -103.97208,
    ],
  },
  {
    name: 'log',
    apply: (x) => x.log(),
    double: Math.log,
    exact: exact.log,
    special: fromZero((x) => (x === 1 ? 0 : ends(NaN, Infinity, () => -Infinity)(x))),
    interesting: [0.25, 4],
    thresholds: [Math.SQRT1_2, Math.SQRT2, 1 + 2 ** -52, 1 - 2 ** -53, 1 + 2 ** -23, 1 - 2 ** -24],
  },
  {
    name: 'tanh',
    apply: (x) => x.tanh(),
    double: Math.tanh,
    exact: exact.tanh,
    special: ends(-1, 1, itself),
    interesting: [-22, 22],
    thresholds: [2 ** -28, 1, 9.01, 19.06154746539849, 22],
  },
  {
    name: 'sigmoid',
    apply: (x) => x.sigmoid(),
    double: (x) => 1 / (1 + Math.exp(-x)), // f32's x ends at −104 for this purpose: no overflow before
    exact: exact.logistic,
    special: ends(0, 1, () => 0.5),
    interesting: [-746, 40],
    thresholds: [
      -103.97208, -87.33654, -709.782712893384, -708.3964185322641, -745.1332191019412, 16.635532, 36.7368005696771,
    ],
  },
  {
    name: 'erf',
    apply: (x) => x.erf(),
    double: erf,
    exact: exact.erf,
    special: ends(-1, 1, itself),
    interesting: [-6, 6],
    thresholds: [0.84375, 1.25, 2.5, 1 / 0.35, 3.8325069, 5.863584748755167, 6],
  },
  exactGelu,
  { ...exactGelu, name: 'gelu from -1', from: -1, interesting: [-1, 9] },
  {
    name: 'geluTanh',
    apply: geluTanh,
    double: gated((x) => 1 / (1 + Math.exp(-2 * rootTwoOverPi * (x + 0.044715 * x * x * x)))),
    exact: exact.geluTanh,
    special: gates,
    interesting: [-22, 9],
    thresholds: [-5, -10.06, -20, -21.7],
  },
  {
    name: 'silu',
    apply: silu,
    double: gated((x) => 1 / (1 + Math.exp(-x))),
    exact: exact.silu,
    special: gates,
    interesting: [-752, 40],
    thresholds: [-87.33654, -103.97208, -108.5, -708.3964185322641, -745.1332191019412, -751.5],
  },
  {
    name: 'sqrt',
    apply: (x) => x.sqrt(),
    double: Math.sqrt, // correctly rounded by IEEE 754
    exact: squareRoot,
    special: fromZero(ends(NaN, Infinity, itself)),
    interesting: [0, 4],
    thresholds: [2, 0.5, 1 + 2 ** -52, 1 - 2 ** -53],
  },
  {
    name: 'sin',
    apply: (x) => x.sin(),
    double: Math.sin,
    exact: exact.sin,
    special: ends(NaN, NaN, itself),
    interesting: [-100, 100],
    thresholds: [Math.PI, Math.PI / 4, 2 ** -26, 823549.6, 6381956970095103 * 2 ** 797, 1e22],
  },
  {
    name: 'cos',
    apply: (x) => x.cos(),
    double: Math.cos,
    exact: exact.cos,
    special: ends(NaN, NaN, () => 1),
    interesting: [-100, 100],
    thresholds: [Math.PI / 2, Math.PI / 4, 2 ** -27, 823549.6, 6381956970095103 * 2 ** 797, 1e22],
  },
]

/** The function's exact value: a number where it is special. */
export const exactValue = ({ exact, special }: ScalarFunction, x: number): Real | number =>
  special(x) ?? exact(exactly(x))
