/**
 * Every derivative of fathom: for each primitive, the cotangents of its inputs from the cotangent `g` of its output.
 *
 * The rules are written in the language that they differentiate, so that gradients of gradients come free. `null` says that no
 * gradient flows. The table is total: a primitive without a rule, or with one cotangent too few, does not compile.
 * Modelled on autodidact's numpy_vjps.py and tinygrad v0.7's mlops.py.
 */
import { at, inversePermutation, range } from '../prelude/array.ts'
import { isFloat, isNarrower, type DType } from '../graph/dtype.ts'
import { dilated, freeAxes } from '../graph/infer.ts'
import { makeNode } from '../graph/node.ts'
import type { ConvAttrs, DotAttrs, Node, NodeOf, OpName, Ops } from '../graph/ops.ts'
import { gather, scatterAdd } from '../tensor/rows.ts'
import { sliceAlong } from '../tensor/sliceAlong.ts'
import { Tensor } from '../tensor/tensor.ts'

/** Primitives with a rule here; `call` is differentiated through its definition, see backward.ts, and `scan` turn by turn, see scan.ts. */
export type DifferentiableOp = Exclude<OpName, 'call' | 'scan'>

type PerInput<T extends readonly unknown[]> = { readonly [I in keyof T]: Tensor | null }

/** Cotangents of a node's inputs from the cotangent of its output. */
export type VjpRule<K extends OpName> = (g: Tensor, node: NodeOf<K>) => PerInput<Ops[K]['inputs']>

const t = (node: Node): Tensor => new Tensor(node)

/**
 * The dtype of an operand's cotangent: the operand's own; but where it was rounded on its way into a contraction that gives more than it takes
 * (f16 in, f32 out), that of the result. The cast then has nothing to widen, and the gradient of a weight is never rounded to a half.
 */
const cotangentDType = (operand: Node, result: DType): DType => {
  const wasWider = operand.op === 'cast' && isNarrower(operand.dtype, operand.inputs[0].dtype)
  return wasWider && isNarrower(operand.dtype, result) ? result : operand.dtype
}

const isInOrder = (axes: readonly number[]): boolean => axes.every((axis, i) => axis === i)

/**
 * out = batch, free axes of x, free axes of y. The cotangent of one operand is the contraction of g with the other's free axes. Of the two orders of the
 * operands the one is taken whose result has the axes where they belong, if there is one: the gradient of a weight is then written once, not transposed.
 */
const dotCotangent = (g: Tensor, side: 0 | 1, x: Node, y: Node, { contract, batch, dtype }: DotAttrs): Tensor => {
  const other = side === 0 ? y : x
  const own = side === 0 ? x : y
  const theirs = (1 - side) as 0 | 1
  const ownFree = freeAxes(own.shape.length, contract[side], batch[side])
  const otherFree = freeAxes(other.shape.length, contract[theirs], batch[theirs])
  const batches = range(batch[0].length)
  const first = batches.length + (side === 0 ? ownFree.length : 0)
  const contracted = range(otherFree.length).map((i) => i + first)
  const rest = contract[theirs]
    .toSorted((a, b) => a - b)
    .map((axis) => at(contract[side], contract[theirs].indexOf(axis)))
  const narrow = g.cast(other.dtype).node
  const to = cotangentDType(own, dtype)
  const [plain, exchanged] = [
    [...batch[side], ...ownFree, ...rest],
    [...batch[side], ...rest, ...ownFree],
  ]
  if (!isInOrder(plain) && isInOrder(exchanged))
    return t(
      makeNode('dotGeneral', { contract: [otherFree, contracted], batch: [batch[theirs], batches], dtype: to }, [
        other,
        narrow,
      ]),
    )
  const attrs: DotAttrs = { contract: [contracted, otherFree], batch: [batches, batch[theirs]], dtype: to }
  const product = t(makeNode('dotGeneral', attrs, [narrow, other]))
  return product.transpose(inversePermutation(plain))
}

type Spatial = readonly [number, number]

const eachAxis = (f: (axis: 0 | 1) => number): Spatial => [f(0), f(1)]

/** The filter with space reversed and input and output channels exchanged inside each group. */
const transposedFilter = (w: Node, groups: number): Tensor => {
  const [kh, kw, c, o] = [at(w.shape, 0), at(w.shape, 1), at(w.shape, 2), at(w.shape, 3)]
  const exchanged = t(w)
    .reverse([0, 1])
    .reshape([kh, kw, c, groups, o / groups])
    .transpose([0, 1, 4, 3, 2])
  return exchanged.reshape([kh, kw, o / groups, groups * c])
}

/** n̂ = (n − 1)a + 1, k̂ = (k − 1)b + 1, m̂ = (m − 1)s + 1: the dilated lengths of input, filter and output. */
const dilatedLengths = (
  x: Node,
  w: Node,
  g: Tensor,
  a: ConvAttrs,
  axis: 0 | 1,
): { readonly n: number; readonly k: number; readonly m: number } => ({
  n: dilated(at(x.shape, axis + 1), a.inputDilation[axis]),
  k: dilated(at(w.shape, axis), a.filterDilation[axis]),
  m: dilated(at(g.shape, axis + 1), a.stride[axis]),
})

/** dx = conv(g, wᵀ; stride a, input dilation s, pad [k̂ − 1 − low, n̂ − m̂ + low]). */
const convInputCotangent = (g: Tensor, x: Node, w: Node, a: ConvAttrs): Tensor => {
  const low = eachAxis((i) => dilatedLengths(x, w, g, a, i).k - 1 - a.padLow[i])
  const high = eachAxis((i) => dilatedLengths(x, w, g, a, i).n - dilatedLengths(x, w, g, a, i).m + a.padLow[i])
  const attrs: ConvAttrs = {
    ...a,
    stride: a.inputDilation,
    inputDilation: a.stride,
    padLow: low,
    padHigh: high,
    dtype: cotangentDType(x, a.dtype),
  }
  return t(makeNode('conv', attrs, [g.cast(w.dtype).node, transposedFilter(w, a.groups).node]))
}

/** dw = conv(xᵀ, gᵀ; stride b, filter dilation s, pad [low, m̂ − n̂ + k̂ − 1 − low])ᵀ: batch and channels exchange their roles. */
const convFilterCotangent = (g: Tensor, x: Node, w: Node, a: ConvAttrs): Tensor => {
  const [n, h, wd, c] = [at(x.shape, 0), at(x.shape, 1), at(x.shape, 2), at(x.shape, 3) / a.groups]
  const images = t(x)
    .reshape([n, h, wd, a.groups, c])
    .transpose([4, 1, 2, 3, 0])
    .reshape([c, h, wd, a.groups * n])
  const high = eachAxis((i) => {
    const d = dilatedLengths(x, w, g, a, i)
    return d.m - d.n + d.k - 1 - a.padLow[i]
  })
  const dtype = cotangentDType(w, a.dtype)
  const attrs: ConvAttrs = { ...a, stride: a.filterDilation, filterDilation: a.stride, padHigh: high, dtype }
  return t(makeNode('conv', attrs, [images.node, g.cast(x.dtype).transpose([1, 2, 0, 3]).node])).transpose([1, 2, 0, 3])
}

/** THE table. */
const vjpRules: { readonly [K in DifferentiableOp]: VjpRule<K> } = {
  // ── leaves and annotations ────────────────────────────────────────────────────────────────────────────────────────
  parameter: () => [],
  buffer: () => [],
  constant: () => [],
  iota: () => [],
  alias: (g) => [g],
  stopGradient: () => [null],
  barrier: (g) => [g, null],

  // ── unary ─────────────────────────────────────────────────────────────────────────────────────────────────────────
  neg: (g) => [g.neg()],
  exp: (g, y) => [g.mul(t(y))],
  log: (g, { inputs: [x] }) => [g.div(t(x))],
  sqrt: (g, y) => [g.mul(0.5).div(t(y))],
  sin: (g, { inputs: [x] }) => [g.mul(t(x).cos())],
  cos: (g, { inputs: [x] }) => [g.mul(t(x).sin()).neg()],
  tanh: (g, y) => [g.mul(t(y).square().neg().add(1))],
  logistic: (g, y) => [g.mul(t(y)).mul(t(y).neg().add(1))],
  erf: (g, { inputs: [x] }) => [g.mul(t(x).square().neg().exp()).mul(2 / Math.sqrt(Math.PI))],
  floor: () => [null],
  not: () => [null],
  cast: (g, { inputs: [x] }) => [isFloat(x.dtype) ? g.cast(x.dtype) : null],
  bitcast: () => [null],

  // ── binary and ternary ────────────────────────────────────────────────────────────────────────────────────────────
  add: (g) => [g, g],
  mul: (g, { inputs: [x, y] }) => [g.mul(t(y)), g.mul(t(x))],
  div: (g, node) => [g.div(t(node.inputs[1])), g.mul(t(node)).div(t(node.inputs[1])).neg()],
  rem: (g, { inputs: [x, y] }) => {
    const quotient = t(x).div(t(y))
    return [g, g.mul(quotient.less(0).select(quotient.neg().floor().neg(), quotient.floor())).neg()]
  },
  max: (g, { inputs: [x, y] }) => {
    const shared = t(x).equal(t(y)).select(g.mul(0.5), g) // equal elements share; next to NaN neither is smaller, and both get all
    return [t(x).less(t(y)).select(0, shared), t(y).less(t(x)).select(0, shared)]
  },
  and: () => [null, null],
  or: () => [null, null],
  xor: () => [null, null],
  shiftLeft: () => [null, null],
  shiftRight: () => [null, null],
  less: () => [null, null],
  equal: () => [null, null],
  where: (g, { inputs: [c] }) => [null, t(c).select(g, 0), t(c).select(g.operand(0), g)],

  // ── reduction and movement ────────────────────────────────────────────────────────────────────────────────────────
  reduceSum: (g, { inputs: [x], attrs: { axes } }) => [
    t(makeNode('broadcast', { shape: x.shape, axes }, [g.cast(x.dtype).node])),
  ],
  reduceMax: (g, y) => {
    const [x] = y.inputs
    const { axes } = y.attrs
    const spread = (z: Node): Tensor => t(makeNode('broadcast', { shape: x.shape, axes }, [z]))
    const isMax = t(x).equal(spread(y)).cast(g.dtype)
    return [isMax.mul(spread(g.div(isMax.sum(axes)).node))]
  },
  // y_i = Σ_{j ≤ i} x_j, so x_j has a part in every y_i with i ≥ j
  cumsum: (g, { attrs: { axis, reverse } }) => [t(makeNode('cumsum', { axis, reverse: !reverse }, [g.node]))],
  broadcast: (g, { attrs: { axes } }) => [g.sum(axes)],
  reshape: (g, { inputs: [x] }) => [g.reshape(x.shape)],
  transpose: (g, { attrs: { permutation } }) => [g.transpose(inversePermutation(permutation))],
  reverse: (g, { attrs: { axes } }) => [g.reverse(axes)],
  pad: (g, { inputs: [x], attrs: { low, interior } }) => {
    const stride = interior.map((n) => n + 1)
    const limit = x.shape.map((n, i) => at(low, i) + dilated(n, at(stride, i)))
    return [t(makeNode('slice', { start: low, limit, stride }, [g.node]))]
  },
  slice: (g, { inputs: [x], attrs: { start, stride } }) => {
    const interior = stride.map((s) => s - 1)
    const high = x.shape.map((n, i) => n - at(start, i) - dilated(at(g.shape, i), at(stride, i)))
    return [t(makeNode('pad', { low: start, high, interior }, [g.node]))]
  },
  concatenate: (g, { inputs, attrs: { axis } }) => {
    const start = (i: number): number => inputs.slice(0, i).reduce((sum, x) => sum + at(x.shape, axis), 0)
    return inputs.map((_, i) => sliceAlong(g, axis, start(i), start(i + 1)))
  },

  // ── indexing and contraction ──────────────────────────────────────────────────────────────────────────────────────
  gather: (g, { inputs: [table, index], attrs: { axis } }) => [
    scatterAdd(t(index), g, at(table.shape, axis), axis),
    null,
  ],
  scatterAdd: (g, { inputs: [index], attrs: { axis } }) => [null, gather(g, t(index), axis)],
  argsort: () => [null],
  dotGeneral: (g, { inputs: [x, y], attrs }) => [dotCotangent(g, 0, x, y, attrs), dotCotangent(g, 1, x, y, attrs)],
  conv: (g, { inputs: [x, w], attrs }) => [convInputCotangent(g, x, w, attrs), convFilterCotangent(g, x, w, attrs)],
}

/** The rule of the node's primitive, applied. */
export const applyVjp = <K extends DifferentiableOp>(g: Tensor, node: NodeOf<K>): readonly (Tensor | null)[] =>
  vjpRules[node.op](g, node)
