/** What networks are made of besides, and linear algebra, as test/golden/torch/neural.py names them. */
import { conv1d, type Conv1dOptions, type Conv1dParams } from '../../src/nn/conv1d.ts'
import { crossEntropy, type CrossEntropyOptions } from '../../src/nn/crossEntropy.ts'
import { ctcLoss, type CtcOptions } from '../../src/nn/ctcLoss.ts'
import { gaussianNll, klDiv, type GaussianNllOptions } from '../../src/nn/divergences.ts'
import type { ReductionOptions } from '../../src/nn/lossShapes.ts'
import { focalLoss, hinge, smoothL1, type FocalOptions } from '../../src/nn/margins.ts'
import { nllLoss } from '../../src/nn/nllLoss.ts'
import { cosineEmbeddingLoss, cosineSimilarity, tripletLoss } from '../../src/nn/similarities.ts'
import { at } from '../../src/prelude/array.ts'
import { conv2d, type ConvOptions } from '../../src/tensor/convolution.ts'
import { eye, tensor } from '../../src/tensor/create.ts'
import { celu, elu, mish, selu } from '../../src/tensor/exponentialUnits.ts'
import { glu, swiglu } from '../../src/tensor/gatedUnits.ts'
import { gridSample, type GridSampleOptions } from '../../src/tensor/gridSample.ts'
import { hardsigmoid, hardswish, relu6, softsign } from '../../src/tensor/hardActivations.ts'
import {
  cholesky,
  det,
  inverse,
  logDet,
  lstsq,
  qr,
  slogDet,
  solve,
  solveTriangular,
  type TriangularOptions,
} from '../../src/tensor/linalg/index.ts'
import { padWith, type PadOptions, type PadWidth } from '../../src/tensor/padding.ts'
import type { Pair } from '../../src/tensor/pair.ts'
import {
  adaptiveAveragePool,
  adaptiveAveragePool1d,
  averagePool1d,
  globalAveragePool,
  maxPool1d,
  type Pool1dOptions,
} from '../../src/tensor/pooling.ts'
import { resizeBicubic, resizeBilinear, resizeNearest, type ResizeOptions } from '../../src/tensor/resizing.ts'
import { logSoftmax, softmin } from '../../src/tensor/softmax.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { row, unary, type Row, type Rows } from './row.ts'

const bent = (f: (x: Tensor, alpha?: number) => Tensor): Row =>
  row<{ x: Tensor; alpha?: number }>(({ x, alpha }) => f(x, alpha))

const along = (f: (x: Tensor, axis?: number) => Tensor): Row =>
  row<{ x: Tensor; axis?: number }>(({ x, axis }) => f(x, axis))

const activations: Rows = {
  selu: unary(selu),
  mish: unary(mish),
  relu6: unary(relu6),
  hardsigmoid: unary(hardsigmoid),
  hardswish: unary(hardswish),
  softsign: unary(softsign),
  elu: bent(elu),
  celu: bent(celu),
  glu: along(glu),
  swiglu: along(swiglu),
  softmin: along(softmin),
}

const resized = (f: (x: Tensor, size: Pair, options?: ResizeOptions) => Tensor): Row =>
  row<{ x: Tensor; size: Pair } & ResizeOptions>(({ x, size, ...options }) => f(x, size, options))

const images: Rows = {
  padWith: row<{ x: Tensor; widths: PadWidth[] } & PadOptions>(({ x, widths, ...options }) =>
    padWith(x, widths, options),
  ),
  maxPool1d: row<{ x: Tensor; size: number } & Pool1dOptions>(({ x, size, ...options }) => maxPool1d(x, size, options)),
  averagePool1d: row<{ x: Tensor; size: number } & Pool1dOptions>(({ x, size, ...options }) =>
    averagePool1d(x, size, options),
  ),
  adaptiveAveragePool: row<{ x: Tensor; size: Pair }>(({ x, size }) => adaptiveAveragePool(x, size)),
  adaptiveAveragePool1d: row<{ x: Tensor; length: number }>(({ x, length }) => adaptiveAveragePool1d(x, length)),
  globalAveragePool: unary(globalAveragePool),
  resizeNearest: row<{ x: Tensor; size: Pair }>(({ x, size }) => resizeNearest(x, size)),
  resizeBilinear: resized(resizeBilinear),
  resizeBicubic: resized(resizeBicubic),
  gridSample: row<{ x: Tensor; grid: Tensor } & GridSampleOptions>(({ x, grid, ...options }) =>
    gridSample(x, grid, options),
  ),
  conv1dLayer: row<{ x: Tensor; params: Conv1dParams } & Conv1dOptions>(({ x, params, ...options }) => {
    const [kernel, outputs] = [at(params.weight.shape, 0), at(params.weight.shape, 2)]
    return conv1d(at(x.shape, 2), outputs, kernel, options).apply(params, x)
  }),
  conv2dAround: row<{ x: Tensor; filter: Tensor } & ConvOptions>(({ x, filter, ...options }) =>
    conv2d(x, filter, options),
  ),
}

interface Pair2 extends ReductionOptions {
  readonly prediction: Tensor
  readonly target: Tensor
}

type Weighted<O> = Omit<O, 'weight'> & { readonly weight?: number[] }

/** Options whose weights are numbers, with them in the dtype of the logits. */
const weighted = <O>({ weight, ...options }: Weighted<O>, { dtype }: Tensor) => ({
  ...options,
  ...(weight === undefined ? {} : { weight: tensor(weight, { dtype }) }),
})

const entropy = row<{ logits: Tensor; labels: Tensor } & Weighted<CrossEntropyOptions>>(
  ({ logits, labels, ...options }) => crossEntropy(logits, labels, weighted(options, logits)),
)

const losses: Rows = {
  hinge: row<Pair2>(({ prediction, target, ...options }) => hinge(prediction, target, options)),
  smoothL1: row<Pair2 & { beta?: number }>(({ prediction, target, ...options }) =>
    smoothL1(prediction, target, options),
  ),
  focalLoss: row<{ logits: Tensor; targets: Tensor } & FocalOptions>(({ logits, targets, ...options }) =>
    focalLoss(logits, targets, options),
  ),
  klDiv: row<{ logProbabilities: Tensor; target: Tensor; logTarget?: boolean } & ReductionOptions>(
    ({ logProbabilities, target, ...options }) => klDiv(logProbabilities, target, options),
  ),
  nllLoss: row<{ logProbabilities: Tensor; labels: Tensor } & Weighted<CrossEntropyOptions>>(
    ({ logProbabilities, labels, ...options }) =>
      nllLoss(logProbabilities, labels, weighted(options, logProbabilities)),
  ),
  smoothedCrossEntropy: entropy,
  softCrossEntropy: entropy,
  cosineSimilarity: row<{ x: Tensor; y: Tensor; axis?: number }>(({ x, y, ...options }) =>
    cosineSimilarity(x, y, options),
  ),
  cosineEmbeddingLoss: row<{ x: Tensor; y: Tensor; labels: Tensor; margin?: number } & ReductionOptions>(
    ({ x, y, labels, ...options }) => cosineEmbeddingLoss(x, y, labels, options),
  ),
  tripletLoss: row<{ anchor: Tensor; positive: Tensor; negative: Tensor; margin?: number } & ReductionOptions>(
    ({ anchor, positive, negative, ...options }) => tripletLoss(anchor, positive, negative, options),
  ),
  gaussianNll: row<{ mean: Tensor; target: Tensor; variance: Tensor } & GaussianNllOptions>(
    ({ mean, target, variance, ...options }) => gaussianNll(mean, target, variance, options),
  ),
  ctcLoss: row<{ logits: Tensor; labels: Tensor; inputs: Tensor; lengths: Tensor } & CtcOptions>(
    ({ logits, labels, inputs, lengths, ...options }) => ctcLoss(logSoftmax(logits), labels, inputs, lengths, options),
  ),
}

const identity = (a: Tensor): Tensor => eye(at(a.shape, a.rank - 1), a.dtype)

/** a·aᵀ + 1. */
const positive = (a: Tensor): Tensor => {
  const axes = a.shape.map((_, i) => i)
  return a.matmul(a.transpose([...axes.slice(0, -2), a.rank - 1, a.rank - 2])).add(identity(a))
}

const ofMatrix = (f: (a: Tensor) => unknown): Row => row<{ a: Tensor }>(({ a }) => f(a))

const linearAlgebra: Rows = {
  cholesky: ofMatrix((a) => cholesky(positive(a))),
  logDet: ofMatrix((a) => logDet(positive(a))),
  inverse: ofMatrix((a) => inverse(a.add(identity(a).mul(3)))),
  det: ofMatrix(det),
  slogDet: ofMatrix(slogDet),
  qr: ofMatrix(qr),
  solve: row<{ a: Tensor; b: Tensor }>(({ a, b }) => solve(a, b)),
  solveTriangular: row<{ a: Tensor; b: Tensor } & TriangularOptions>(({ a, b, ...options }) =>
    solveTriangular(a.add(identity(a).mul(3)), b, options),
  ),
  lstsq: row<{ a: Tensor; b: Tensor }>(({ a, b }) => lstsq(a, b)),
}

/** Subject → function. */
export const neural: Rows = { ...activations, ...images, ...losses, ...linearAlgebra }
