/** Reductions, movement, making, indexing and sorting, as test/golden/torch/shapes.py names them. */
import { argmax, argsort, concatenate, gather, scatterAdd, sort, splitInto, stack } from '../../src/tensor/combine.ts'
import { arange, eye, linspace, oneHot } from '../../src/tensor/create.ts'
import { cumsum } from '../../src/tensor/cumsum.ts'
import { logSoftmax, logSumExp, softmax } from '../../src/tensor/softmax.ts'
import { variance } from '../../src/tensor/variance.ts'
import type { Axes } from '../../src/tensor/axes.ts'
import type { SliceBounds, Tensor } from '../../src/tensor/tensor.ts'
import { row, unary, type Row, type Rows } from './row.ts'

const reduction = (f: (x: Tensor, axes: Axes, keep: boolean) => Tensor): Row =>
  row<{ x: Tensor; axes?: Axes; keep?: boolean }>(({ x, axes, keep = false }) => f(x, axes, keep))

const along = (f: (x: Tensor, axis?: number) => Tensor): Row =>
  row<{ x: Tensor; axis?: number }>(({ x, axis }) => (axis === undefined ? f(x) : f(x, axis)))

const reductions: Rows = {
  sum: reduction((x, axes, keep) => x.sum(axes, keep)),
  mean: reduction((x, axes, keep) => x.mean(axes, keep)),
  max: reduction((x, axes, keep) => x.max(axes, keep)),
  variance: reduction(variance),
  softmax: along(softmax),
  logSoftmax: along(logSoftmax),
  logSumExp: row<{ x: Tensor; axis?: number; keep?: boolean }>(({ x, axis, keep }) => logSumExp(x, axis, keep)),
  cumsum: along(cumsum),
  argmax: along(argmax),
  argsort: along(argsort),
  sort: unary(sort),
}

const movement: Rows = {
  reshape: row<{ x: Tensor; to: number[] }>(({ x, to }) => x.reshape(to)),
  transpose: row<{ x: Tensor; to: number[] }>(({ x, to }) => x.transpose(to)),
  broadcastTo: row<{ x: Tensor; to: number[] }>(({ x, to }) => x.broadcastTo(to)),
  expandDims: row<{ x: Tensor; axis: number }>(({ x, axis }) => x.expandDims(axis)),
  reverse: row<{ x: Tensor; axes: number[] }>(({ x, axes }) => x.reverse(axes)),
  slice: row<{ x: Tensor; ranges: SliceBounds[] }>(({ x, ranges }) => x.slice(...ranges)),
  pad: row<{ x: Tensor; low: number[]; high: number[]; interior?: number[] }>(({ x, low, high, interior }) =>
    x.pad(low, high, interior),
  ),
  concatenate: row<{ x: Tensor; y: Tensor; z?: Tensor; axis?: number }>(({ x, y, z, axis = 0 }) =>
    concatenate(z === undefined ? [x, y] : [x, y, z], axis),
  ),
  stack: row<{ x: Tensor; y: Tensor; axis: number }>(({ x, y, axis }) => stack([x, y], axis)),
  splitInto: row<{ x: Tensor; count: number; axis: number }>(({ x, count, axis }) => splitInto(x, count, axis)),
}

const making: Rows = {
  iota: row<{ n: number }>(({ n }) => arange(n)),
  eye: row<{ n: number }>(({ n }) => eye(n, 'f64')),
  linspace: row<{ start: number; stop: number; count: number }>(({ start, stop, count }) =>
    linspace(start, stop, count, 'f64'),
  ),
  oneHot: row<{ labels: Tensor; classes: number }>(({ labels, classes }) => oneHot(labels, classes, 'f64')),
}

const indexing: Rows = {
  gather: row<{ table: Tensor; index: Tensor; axis?: number }>(({ table, index, axis }) => gather(table, index, axis)),
  scatterAdd: row<{ index: Tensor; updates: Tensor; size: number; axis?: number }>(({ index, updates, size, axis }) =>
    scatterAdd(index, updates, size, axis),
  ),
}

/** Subject → function. */
export const shapes: Rows = { ...reductions, ...movement, ...making, ...indexing }
