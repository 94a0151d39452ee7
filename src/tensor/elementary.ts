/**
 * What elementary functions are made of: each is computed from the primitives on one or two intervals, and has its own derivative. Halves are
 * computed in f32 and rounded once.
 *
 * No step here counts on (1 + x) − 1 being anything but x: WGSL may reassociate, and the tricks that gain digits by such differences would lose
 * them there.
 */
import { DTypeError } from '../prelude/errors.ts'
import { notATensor } from '../prelude/mistaken.ts'
import { isFloat } from '../graph/dtype.ts'
import { broadcastShapes } from '../graph/shape.ts'
import { customVjp } from './annotate.ts'
import { expectTensor } from './expect.ts'
import { inSingle } from './precision.ts'
import { Tensor, type Operand } from './tensor.ts'

/** Refuses what is no tensor of floats. */
export const requireFloat = (operation: string, x: Tensor): void => {
  expectTensor(operation, x)
  if (!isFloat(x.dtype)) throw new DTypeError(`${operation}: takes a float, got ${x.dtype}; cast it first`)
}

/** A function of each element with its derivative: `slope` of the same element. */
export const elementary = (
  name: string,
  value: (x: Tensor) => Tensor,
  slope: (x: Tensor) => Tensor,
): ((x: Tensor) => Tensor) => {
  const f = customVjp(value, ([x], g): [Tensor] => [g.mul(slope(x))], name)
  return (x) => {
    requireFloat(name, x)
    return inSingle(x, f)
  }
}

/** Two operands in one shape and dtype. */
export const operandsMet = (operation: string, x: Tensor, y: Operand): readonly [x: Tensor, y: Tensor] => {
  expectTensor(operation, x)
  if (typeof y !== 'number' && !(y instanceof Tensor)) throw notATensor(operation, y, 'a tensor or a number')
  const b = x.operand(y)
  const a = b.operand(x)
  if (a.dtype !== b.dtype)
    throw new DTypeError(`${operation}: dtypes ${a.dtype} and ${b.dtype} differ; cast one of them`)
  const shape = broadcastShapes(operation, a.shape, b.shape)
  return [a.broadcastTo(shape), b.broadcastTo(shape)]
}

/** A function of pairs of elements, which broadcast, with the cotangents of both. */
export const elementaryPair = (
  name: string,
  value: (x: Tensor, y: Tensor) => Tensor,
  rule: (x: Tensor, y: Tensor, g: Tensor) => [Tensor, Tensor],
): ((x: Tensor, y: Operand) => Tensor) => {
  const f = customVjp(value, ([x, y], g): [Tensor, Tensor] => rule(x, y, g), name)
  return (x, y) => {
    const [a, b] = operandsMet(name, x, y)
    requireFloat(name, a)
    return a.dtype === 'f16' ? f(a.cast('f32'), b.cast('f32')).cast('f16') : f(a, b)
  }
}

/** Σ cₖ·xᵏ by Horner's rule. @param coefficients from the constant term on */
export const polynomial = (x: Tensor, coefficients: readonly number[]): Tensor =>
  coefficients
    .slice(0, -1)
    .reduceRight((sum, c) => sum.mul(x).add(c), x.operand(coefficients[coefficients.length - 1] ?? 0))

/** The first terms of a series, as many as the dtype needs. */
export const termsFor = (
  x: Tensor,
  { single, double }: { readonly single: number; readonly double: number },
  term: (k: number) => number,
): readonly number[] => Array.from({ length: x.dtype === 'f64' ? double : single }, (_, k) => term(k))

/** Whether the sign is negative, that of −0 too. */
export const isNegative = (x: Tensor): Tensor =>
  x.dtype === 'f32' ? x.bitcast('i32').less(0) : x.less(0).or(x.equal(0).and(x.operand(1).div(x).less(0)))

/** An odd function from its values at |x|; ±0 stays what it is. */
export const odd = (x: Tensor, f: (size: Tensor) => Tensor): Tensor => {
  const y = f(x.abs())
  return x.less(0).select(y.neg(), x.equal(0).select(x, y))
}

/** x·bᵏ for whole k of at most `digits` binary digits: a product of the b^(2ⁱ), each of which is exact where b is 2. */
export const timesPower = (x: Tensor, base: number, k: Tensor, digits: number): Tensor => {
  const whole = k.abs().cast('i32')
  return Array.from({ length: digits }).reduce<Tensor>((y, _, i) => {
    const up = k.less(0).select(x.operand(base ** -(2 ** i)), x.operand(base ** (2 ** i)))
    return whole
      .and(2 ** i)
      .equal(0)
      .select(y, y.mul(up))
  }, x)
}
