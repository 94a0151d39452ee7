/** The vocabulary of tensors, as test/golden/torch/vocabulary.py names it. */
import { isClose, isFinite, isInf, isNaN } from '../../src/tensor/comparisons.ts'
import type { Axes } from '../../src/tensor/axes.ts'
import { cummax, cumprod } from '../../src/tensor/cumulative.ts'
import { floorDivide, mod, trunc } from '../../src/tensor/division.ts'
import { dynamicSlice, dynamicUpdateSlice } from '../../src/tensor/dynamicSlice.ts'
import { acosh, asinh, atanh, cosh, sinh } from '../../src/tensor/hyperbolic.ts'
import { chunk, gatherNd, scatterNd, splitSizes, takeAlongAxis, unstack } from '../../src/tensor/indexing.ts'
import { exp2, expm1, log10, log1p, log2, logaddexp, logSigmoid } from '../../src/tensor/logarithms.ts'
import { meshgrid, moveAxis, repeat, roll, swapAxes, tile } from '../../src/tensor/movement.ts'
import { norm } from '../../src/tensor/norms.ts'
import { median, quantile, topK } from '../../src/tensor/orders.ts'
import { hypot, power, rsqrt } from '../../src/tensor/powers.ts'
import type { Operand, Tensor } from '../../src/tensor/tensor.ts'
import { diag, diagonal, outer, trace, tril, triu } from '../../src/tensor/triangles.ts'
import { acos, asin, atan, atan2, tan } from '../../src/tensor/trigonometry.ts'
import { binary, row, unary, type Row, type Rows } from './row.ts'

const elements: Rows = {
  ceil: unary((x) => x.ceil()),
  round: unary((x) => x.round()),
  sign: unary((x) => x.sign()),
  trunc: unary(trunc),
  log1p: unary(log1p),
  expm1: unary(expm1),
  log2: unary(log2),
  log10: unary(log10),
  exp2: unary(exp2),
  logSigmoid: unary(logSigmoid),
  tan: unary(tan),
  atan: unary(atan),
  asin: unary(asin),
  acos: unary(acos),
  sinh: unary(sinh),
  cosh: unary(cosh),
  asinh: unary(asinh),
  acosh: unary(acosh),
  atanh: unary(atanh),
  rsqrt: unary(rsqrt),
  isNaN: unary(isNaN),
  isFinite: unary(isFinite),
  isInf: unary(isInf),
  clamp: row<{ x: Tensor; low?: Operand; high?: Operand }>(({ x, low, high }) => x.clamp(low, high)),
}

const pairs: Rows = {
  notEqual: binary((x, y) => x.notEqual(y)),
  greaterEqual: binary((x, y) => x.greaterEqual(y)),
  lessEqual: binary((x, y) => x.lessEqual(y)),
  atan2: binary(atan2),
  hypot: binary(hypot),
  logaddexp: binary(logaddexp),
  floorDivide: binary(floorDivide),
  mod: binary(mod),
  power: binary(power),
  isClose: binary((x, y) => isClose(x, y, { relative: 0.5, absolute: 0.25 })),
}

interface Reduced {
  readonly x: Tensor
  readonly axes?: Axes
  readonly keep?: boolean
  readonly correction?: number
  readonly p?: number | string
}

const along = (f: (x: Tensor, axis?: number) => Tensor): Row =>
  row<{ x: Tensor; axis?: number }>(({ x, axis }) => (axis === undefined ? f(x) : f(x, axis)))

const reductions: Rows = {
  min: row<Reduced>(({ x, axes, keep }) => x.min(axes, keep)),
  prod: row<Reduced>(({ x, axes, keep }) => x.prod(axes, keep)),
  any: row<Reduced>(({ x, axes, keep }) => x.any(axes, keep)),
  all: row<Reduced>(({ x, axes, keep }) => x.all(axes, keep)),
  std: row<Reduced>(({ x, axes, keep, correction }) => x.std(axes, keep, correction)),
  norm: row<Reduced>(({ x, p = 2, axes, keep }) => norm(x, Number(p), axes, keep)),
  argmin: along((x, axis) => x.argmin(axis)),
  cumprod: along(cumprod),
  cummax: along(cummax),
  median: along(median),
  quantile: row<{ x: Tensor; q: number; axis?: number }>(({ x, q, axis }) => quantile(x, q, axis)),
  topK: row<{ x: Tensor; k: number; axis?: number }>(({ x, k, axis }) => topK(x, k, axis)),
}

/** Starts as they are given in one tensor. */
const startsIn = (starts: Tensor): readonly Tensor[] => unstack(starts)

const picking: Rows = {
  at: row<{ x: Tensor; axis: number; i: number }>(({ x, axis, i }) => x.at(axis, i)),
  squeeze: row<{ x: Tensor; axis?: number }>(({ x, axis }) => x.squeeze(axis)),
  unstack: row<{ x: Tensor; axis: number }>(({ x, axis }) => unstack(x, axis)),
  splitSizes: row<{ x: Tensor; sizes: number[]; axis: number }>(({ x, sizes, axis }) => splitSizes(x, sizes, axis)),
  chunk: row<{ x: Tensor; count: number; axis: number }>(({ x, count, axis }) => chunk(x, count, axis)),
  takeAlongAxis: row<{ x: Tensor; index: Tensor; axis?: number }>(({ x, index, axis }) =>
    takeAlongAxis(x, index, axis),
  ),
  gatherNd: row<{ x: Tensor; index: Tensor }>(({ x, index }) => gatherNd(x, index)),
  scatterNd: row<{ index: Tensor; updates: Tensor; shape: number[] }>(({ index, updates, shape }) =>
    scatterNd(index, updates, shape),
  ),
  dynamicSlice: row<{ x: Tensor; starts: Tensor; sizes: number[] }>(({ x, starts, sizes }) =>
    dynamicSlice(x, startsIn(starts), sizes),
  ),
  dynamicUpdateSlice: row<{ x: Tensor; part: Tensor; starts: Tensor }>(({ x, part, starts }) =>
    dynamicUpdateSlice(x, part, startsIn(starts)),
  ),
}

const matrices = (f: (x: Tensor, offset?: number) => Tensor): Row =>
  row<{ x: Tensor; offset?: number }>(({ x, offset }) => f(x, offset))

const moved = (f: (x: Tensor, a: number, b: number) => Tensor): Row =>
  row<{ x: Tensor; a: number; b: number }>(({ x, a, b }) => f(x, a, b))

const movement: Rows = {
  tril: matrices(tril),
  triu: matrices(triu),
  diag: matrices(diag),
  diagonal: matrices(diagonal),
  trace: matrices(trace),
  outer: row<{ input: Tensor; vec2: Tensor }>(({ input, vec2 }) => outer(input, vec2)),
  swapAxes: moved(swapAxes),
  moveAxis: moved(moveAxis),
  tile: row<{ x: Tensor; counts: number[] }>(({ x, counts }) => tile(x, counts)),
  repeat: row<{ x: Tensor; count: number; axis: number }>(({ x, count, axis }) => repeat(x, count, axis)),
  roll: row<{ x: Tensor; shifts: number | number[]; axes: Axes }>(({ x, shifts, axes }) => roll(x, shifts, axes)),
  meshgrid: row<{ x: Tensor; y: Tensor; indexing?: 'ij' | 'xy' }>(({ x, y, indexing }) => meshgrid([x, y], indexing)),
}

/** Subject → function. */
export const vocabulary: Rows = { ...elements, ...pairs, ...reductions, ...picking, ...movement }
