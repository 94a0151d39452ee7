/** Elementwise primitives and activations, as test/golden/torch/elementwise.py names them. */
import type { DType } from '../../src/graph/dtype.ts'
import { gelu, geluTanh, leakyRelu, relu, silu, softplus } from '../../src/tensor/activations.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { binary, row, unary, type Rows } from './row.ts'

/** Subject → function. */
export const elementwise: Rows = {
  neg: unary((x) => x.neg()),
  exp: unary((x) => x.exp()),
  log: unary((x) => x.log()),
  sqrt: unary((x) => x.sqrt()),
  sin: unary((x) => x.sin()),
  cos: unary((x) => x.cos()),
  tanh: unary((x) => x.tanh()),
  sigmoid: unary((x) => x.sigmoid()),
  erf: unary((x) => x.erf()),
  floor: unary((x) => x.floor()),
  square: unary((x) => x.square()),
  abs: unary((x) => x.abs()),
  pow: row<{ x: Tensor; n: number }>(({ x, n }) => x.pow(n)),
  add: binary((x, y) => x.add(y)),
  sub: binary((x, y) => x.sub(y)),
  mul: binary((x, y) => x.mul(y)),
  div: binary((x, y) => x.div(y)),
  rem: binary((x, y) => x.rem(y)),
  maximum: binary((x, y) => x.maximum(y)),
  minimum: binary((x, y) => x.minimum(y)),
  less: binary((x, y) => x.less(y)),
  greater: binary((x, y) => x.greater(y)),
  equal: binary((x, y) => x.equal(y)),
  and: binary((x, y) => x.and(y)),
  or: binary((x, y) => x.or(y)),
  xor: binary((x, y) => x.xor(y)),
  not: unary((x) => x.not()),
  shiftLeft: binary((x, y) => x.shiftLeft(y)),
  shiftRight: binary((x, y) => x.shiftRight(y)),
  select: row<{ c: Tensor; x: Tensor; y: Tensor | number }>(({ c, x, y }) => c.select(x, y)),
  cast: row<{ x: Tensor; to: DType }>(({ x, to }) => x.cast(to).cast(x.dtype)),
  bitcast: unary((x) => x.bitcast('f32')),
  stopGradient: unary((x) => x.stopGradient().mul(x)),
  relu: unary(relu),
  silu: unary(silu),
  gelu: unary(gelu),
  geluTanh: unary(geluTanh),
  softplus: unary(softplus),
  leakyRelu: row<{ x: Tensor; slope: number }>(({ x, slope }) => leakyRelu(x, slope)),
}
