/** Batch normalisation, Ioffe & Szegedy 2015, with the numbers of PyTorch's `BatchNorm1d` and `BatchNorm2d`. */
import { requireKnown } from '../prelude/options.ts'
import { at, product, range } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { showShape } from '../graph/shape.ts'
import { ones, scalar, zeros } from '../tensor/create.ts'
import { expectTensor } from '../tensor/expect.ts'
import { widened } from '../tensor/precision.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { variance } from '../tensor/variance.ts'
import { expectSizes } from './expectSizes.ts'
import type { Module } from './module.ts'
import { stateful } from './state.ts'

/** weight [C] and bias [C], applied after the normalisation; absent without `affine`. */
export interface BatchNormParams {
  readonly weight?: Tensor
  readonly bias?: Tensor
}

/** How a batch is normalised. */
export interface BatchNormOptions {
  /** The share of the new batch in the running statistics; null for the mean of all batches so far. Default 0.1. */
  readonly momentum?: number | null
  /** Added to the variance; default 1e-5. */
  readonly epsilon?: number
  /** Whether channels are scaled and shifted by parameters; default true. */
  readonly affine?: boolean
}

/** Of each channel: [C]. */
type Statistics = { readonly mean: Tensor; readonly variance: Tensor }

/** The running statistics, f32, and the number of batches that they have seen, i32 []. */
type BatchNormState = Statistics & { readonly count: Tensor }

const requireChannels = (x: Tensor, channels: number): void => {
  expectTensor('batchNorm', x)
  if (x.rank < 2 || at(x.shape, x.rank - 1) !== channels)
    throw new ShapeError(`batchNorm: takes [N, …, ${channels}], got ${showShape(x.shape)}`)
}

const statisticsOf = (x: Tensor): Statistics => {
  const axes = range(x.rank - 1)
  return { mean: x.mean(axes), variance: variance(x, axes) }
}

/** (x − mean) / √(variance + ε) */
const normalized = (x: Tensor, { mean, variance }: Statistics, epsilon: number): Tensor =>
  x.sub(mean.cast(x.dtype)).div(variance.cast(x.dtype).add(epsilon).sqrt())

/** running ← running + momentum · (new − running), of no gradient */
const followed = (running: Tensor, now: Tensor, momentum: number | Tensor): Tensor =>
  running.add(now.stopGradient().sub(running).mul(momentum))

/** The statistics after a batch of `n` numbers a channel. The running variance is the unbiased one. */
const nextState = (
  { count, mean, variance }: BatchNormState,
  batch: Statistics,
  n: number,
  momentum: number | null,
): BatchNormState => {
  const seen = count.add(1)
  const share = momentum ?? scalar(1).div(seen.cast('f32'))
  return {
    count: seen,
    mean: followed(mean, batch.mean.cast('f32'), share),
    variance: followed(variance, batch.variance.cast('f32').mul(n / (n - 1)), share),
  }
}

/**
 * y = (x − mean) / √(variance + ε) · weight + bias for each channel: `[N, …, C] → [N, …, C]`. In training mean and (biased) variance are of the
 * batch, and the running ones follow; in evaluation they are the running ones. Those are the layer's state, in f32: apply it by `applyWithState`.
 * f16 is normalised in f32.
 *
 * @throws TypeError where there is no place for the running statistics; ShapeError for other channels, and in training for one number a channel,
 * which has no variance; RangeError for a momentum outside [0, 1]
 * @example
 * ```ts
 * import { key, tensor } from 'fathom'
 * import { applyWithState, batchNorm, stateOf } from 'fathom/nn'
 *
 * const layer = batchNorm(2)
 * const params = layer.init(key(0))
 * const x = tensor([[10, 100], [30, 500]])
 * const [y, state] = applyWithState(layer, params, stateOf(layer), x, { train: true, key: key(0) })
 * y // => [[-1, -1], [1, 1]]
 * state // => { count: 1, mean: [2, 30], variance: [20.9, 8000.9] }
 * layer.apply(params, x) // throws TypeError: batchNorm: keeps values from pass to pass, and has no place for them: …
 * ```
 */
export const batchNorm = (channels: number, options: BatchNormOptions = {}): Module<BatchNormParams> => {
  requireKnown('batchNorm', options, ['momentum', 'epsilon', 'affine'])
  const { momentum = 0.1, epsilon = 1e-5, affine = true } = options
  expectSizes('batchNorm', { channels }, 'applyWithState(batchNorm(channels), params, state, x)')
  if (momentum !== null && !(momentum >= 0 && momentum <= 1))
    throw new RangeError(
      `batchNorm: the momentum is ${momentum}; it must be in [0, 1], or null for the mean of all batches`,
    )
  return stateful<BatchNormParams, BatchNormState>({
    name: 'batchNorm',
    init: () => (affine ? { weight: ones([channels]), bias: zeros([channels]) } : {}),
    state: () => ({ count: zeros([], 'i32'), mean: zeros([channels]), variance: ones([channels]) }),
    apply: ({ weight, bias }, state, x, { train }) => {
      requireChannels(x, channels)
      const n = product(x.shape.slice(0, -1))
      if (train && n < 2)
        throw new ShapeError(
          `batchNorm: training needs at least two numbers a channel, got ${showShape(x.shape)}: give a larger batch, or drop the last one`,
        )
      const wide = widened(x)
      const used = train ? statisticsOf(wide) : state
      const y = normalized(wide, used, epsilon).cast(x.dtype)
      const scaled = weight === undefined ? y : y.mul(weight)
      return [bias === undefined ? scaled : scaled.add(bias), train ? nextState(state, used, n, momentum) : state]
    },
  })
}
