/** Activations: functions of one number, from their papers' formulas. */
import { badDType, one, type Entry, type Misuse } from '../entry.ts'
import { erfBySimpson } from '../primitives/elementwise.ts'
import { gelu, geluTanh, leakyRelu, relu, silu, softplus } from '../../../src/tensor/activations.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { pointwise } from './draw.ts'

const onlyFloats = (message: RegExp, f: (x: Tensor) => Tensor): { readonly errors: readonly Misuse[] } => ({
  errors: [badDType(message, ['i32[2]'], (x) => f(one(x)))],
})

/** A row for each. */
export const activations: {
  readonly [K in 'relu' | 'leakyRelu' | 'silu' | 'gelu' | 'geluTanh' | 'softplus']: Entry
} = {
  relu: pointwise(relu, (x) => (x <= 0 ? 0 : x), { slack: 0 }),
  leakyRelu: pointwise(
    (x) => leakyRelu(x, 0.2),
    (x) => (x > 0 ? x : 0.2 * x),
    {
      slack: 1,
      ...onlyFloats(/^0\.01 is not a number of dtype i32/, leakyRelu),
    },
  ),
  silu: pointwise(silu, (x) => x / (1 + Math.exp(-x)), onlyFloats(/^logistic: takes a float, got i32/, silu)),
  gelu: pointwise(
    gelu,
    (x) => (x * (1 + erfBySimpson(x / Math.SQRT2))) / 2,
    onlyFloats(/^0\.707\d+ is not a number of dtype i32/, gelu),
  ),
  geluTanh: pointwise(
    geluTanh,
    (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
    onlyFloats(/^0\.0447\d+ is not a number of dtype i32/, geluTanh),
  ),
  softplus: pointwise(
    softplus,
    (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
    onlyFloats(/^exp: takes a float, got i32/, softplus),
  ),
}
