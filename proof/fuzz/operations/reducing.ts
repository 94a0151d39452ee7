/** Operations of random programs that sum: reductions, contractions, convolutions, and what is made of them. */
import { isFloat, type DType } from '../../../src/graph/dtype.ts'
import type { ConvAttrs, DotAttrs } from '../../../src/graph/ops.ts'
import { conv2d, convTranspose2d } from '../../../src/tensor/convolution.ts'
import { attention } from '../../../src/tensor/attention.ts'
import { cumsum } from '../../../src/tensor/cumsum.ts'
import { einsum } from '../../../src/tensor/contractions.ts'
import { logSoftmax, logSumExp, softmax } from '../../../src/tensor/softmax.ts'
import { variance } from '../../../src/tensor/variance.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import {
  another,
  fitted,
  floatsOf,
  pick,
  raw,
  settled,
  shuffled,
  type Choose,
  type Context,
  type Mode,
  type Operation,
} from '../value.ts'

type Make = (x: Tensor, bound: number, context: Context) => readonly [Tensor, number]

const isNumber = (x: Tensor): boolean => x.dtype !== 'bool'
const isFloatTensor = (x: Tensor): boolean => isFloat(x.dtype)

const operation = (
  name: string,
  takes: (x: Tensor, context: Context) => boolean,
  make: Make,
  weight = 1,
  smooth = true,
): Operation => ({
  name,
  weight,
  smooth,
  takes,
  make: ({ x, bound }, context) => {
    const [y, b] = make(x, bound, context)
    return settled(y, b, context.mode)
  },
})

const subset = (rank: number, choose: Choose): readonly number[] =>
  shuffled([...Array.from({ length: rank }).keys()], choose).slice(0, choose(rank + 1))

const terms = (x: Tensor, y: Tensor): number => (y.size === 0 ? 1 : Math.max(1, x.size / y.size))

/** Dtypes in which a sum may be kept. */
const accumulators = (dtype: DType, mode: Mode): readonly DType[] =>
  isFloat(dtype) ? floatsOf(mode) : ['i32', 'u32', mode === 'single' ? 'f32' : 'f64', 'u8']

const reductions: readonly Operation[] = [
  operation(
    'sum',
    isNumber,
    (x, b, { choose }) => {
      const y = x.sum(subset(x.rank, choose), choose(2) === 0)
      return [y, b * terms(x, y)]
    },
    2,
  ),
  operation('sum of nothing', isNumber, (x, b) => [raw('reduceSum', { axes: [], dtype: x.dtype }, x), b]),
  operation('sum in another dtype', isNumber, (x, b, { choose, mode }) => {
    const dtype = pick(accumulators(x.dtype, mode), choose)
    const y = raw('reduceSum', { axes: subset(x.rank, choose), dtype }, x)
    return [y, b * terms(x, y)]
  }),
  operation(
    'max over axes',
    (x) => isNumber(x) && x.size > 0, // the maximum of nothing is an error
    (x, b, { choose }) => [x.max(subset(x.rank, choose), choose(2) === 0), b],
    2,
    false,
  ),
  operation('max of nothing', isNumber, (x, b) => [raw('reduceMax', { axes: [] }, x), b], 1, false),
  operation(
    'mean',
    (x) => isFloatTensor(x) && x.size > 0,
    (x, b, { choose }) => [x.mean(subset(x.rank, choose)), b],
  ),
  operation(
    'variance',
    (x) => isFloatTensor(x) && x.size > 0,
    (x, b, { choose }) => [variance(x, subset(x.rank, choose), true), 4 * b * b],
  ),
]

const hasRows = (x: Tensor): boolean => x.rank > 0 && isFloat(x.dtype) && x.size > 0

const named: readonly Operation[] = [
  operation('softmax', hasRows, (x, _, { choose }) => [softmax(x, choose(x.rank)), 1]),
  operation('logSoftmax', hasRows, (x, b, { choose }) => [logSoftmax(x, choose(x.rank)), 2 * b + 6]),
  operation('logSumExp', hasRows, (x, b, { choose }) => [logSumExp(x, choose(x.rank)), b + 6]),
  operation(
    'cumsum',
    (x) => x.rank > 0 && isNumber(x),
    (x, b, { choose }) => [cumsum(x, choose(x.rank)), b * Math.max(1, x.size)],
  ),
]

/** A second operand whose axes are those of `x` in the roles given, in random order. */
const dot: Make = (x, b, c) => {
  const { choose } = c
  const axes = shuffled([...x.shape.keys()], choose)
  const contracted = axes.slice(0, choose(Math.min(2, x.rank) + 1))
  const batches = axes.slice(contracted.length, contracted.length + choose(x.rank - contracted.length + 1))
  const columns = Array.from({ length: choose(3) }, () => 1 + choose(3))
  const roles = [
    ...contracted.map((axis) => ({ role: 'contract', axis, n: x.shape[axis] ?? 0 })),
    ...batches.map((axis) => ({ role: 'batch', axis, n: x.shape[axis] ?? 0 })),
    ...columns.map((n) => ({ role: 'free', axis: -1, n })),
  ]
  const layout = shuffled(roles, choose)
  const v = another(x.dtype, c)
  const y = fitted(
    v.x,
    layout.map((r) => r.n),
  )
  const place = (role: string, list: readonly number[]): readonly number[] =>
    list.map((axis) => layout.findIndex((r) => r.role === role && r.axis === axis))
  const dtype = choose(4) === 0 && isFloat(x.dtype) ? pick(floatsOf(c.mode), choose) : x.dtype
  const attrs: DotAttrs = {
    contract: [contracted, place('contract', contracted)],
    batch: [batches, place('batch', batches)],
    dtype,
  }
  const depth = contracted.reduce((n, a) => n * (x.shape[a] ?? 0), 1)
  return [raw('dotGeneral', attrs, x, y), Math.max(1, depth) * b * Math.max(3, v.bound)]
}

const isMatrix = (x: Tensor): boolean => x.rank >= 2 && isNumber(x)

const contractions: readonly Operation[] = [
  operation('dotGeneral', (x) => isNumber(x) && x.rank < 5 && x.size <= 100, dot, 4),
  operation(
    'matmul',
    (x) => isMatrix(x) && x.size <= 100,
    (x, b, c) => {
      const v = another(x.dtype, c)
      const [k, n] = [x.shape.at(-1) ?? 0, 1 + c.choose(4)]
      const y = fitted(v.x, c.choose(2) === 0 ? [k, n] : [...x.shape.slice(0, -2), k, n])
      return [x.matmul(y), Math.max(1, k) * b * Math.max(3, v.bound)]
    },
    2,
  ),
  operation(
    'einsum',
    (x) => x.rank === 2 && isNumber(x),
    (x, b) => [einsum('ij,kj->ki', x, x), Math.max(1, x.shape[1] ?? 0) * b * b],
  ),
  operation(
    'attention',
    (x) => x.rank >= 2 && hasRows(x) && x.size <= 60,
    (x, b) => [attention(x, x, x), b],
  ),
]

const spatial = (choose: Choose, low: number, high: number): readonly [number, number] => [
  low + choose(high - low + 1),
  low + choose(high - low + 1),
]

/** A 4-axis view of `x`, with `channels` last. */
const imageOf = (x: Tensor, channels: number): Tensor =>
  x.rank === 4 && (x.shape[3] ?? 0) % channels === 0 && x.size > 0 ? x : fitted(x, [1, 3, 4, channels])

const conv: Make = (x, b, c) => {
  const { choose } = c
  const groups = 1 + choose(2)
  const image = imageOf(x, groups)
  const perGroup = (image.shape[3] ?? 0) / groups
  const w = another(x.dtype, c)
  const filter = fitted(w.x, [...spatial(choose, 1, 3), perGroup, groups * (1 + choose(2))])
  const attrs: ConvAttrs = {
    stride: spatial(choose, 1, 2),
    padLow: spatial(choose, -1, 2),
    padHigh: spatial(choose, -1, 2),
    inputDilation: spatial(choose, 1, 2),
    filterDilation: spatial(choose, 1, 2),
    groups,
    dtype: choose(4) === 0 && isFloat(x.dtype) ? pick(floatsOf(c.mode), choose) : x.dtype,
  }
  return [raw('conv', attrs, image, filter), 9 * perGroup * b * Math.max(3, w.bound)]
}

const convolutions: readonly Operation[] = [
  operation('conv', (x, { mode }) => (mode === 'whole' ? isNumber : isFloatTensor)(x) && x.size <= 100, conv, 4),
  operation(
    'conv2d',
    (x) => isFloatTensor(x) && x.size <= 100,
    (x, b, c) => {
      const image = imageOf(x, 1)
      const w = another(x.dtype, c)
      const filter = fitted(w.x, [...spatial(c.choose, 1, 3), image.shape[3] ?? 1, 2])
      const options = { stride: spatial(c.choose, 1, 2), padding: 1 + c.choose(2), dilation: 1 + c.choose(2) }
      return [conv2d(image, filter, options), 9 * (image.shape[3] ?? 1) * b * Math.max(3, w.bound)]
    },
  ),
  operation(
    'convTranspose2d',
    (x) => isFloatTensor(x) && x.size <= 60,
    (x, b, c) => {
      const image = imageOf(x, 1)
      const w = another(x.dtype, c)
      const filter = fitted(w.x, [2, 2, image.shape[3] ?? 1, 1 + c.choose(2)])
      return [
        convTranspose2d(image, filter, { stride: spatial(c.choose, 1, 2), padding: c.choose(2) }),
        4 * (image.shape[3] ?? 1) * b * Math.max(3, w.bound),
      ]
    },
  ),
]

/** All of them. */
export const reducing: readonly Operation[] = [...reductions, ...named, ...contractions, ...convolutions]
