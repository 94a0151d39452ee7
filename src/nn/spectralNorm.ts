/** Spectral normalisation, Miyato et al. 2018: a weight divided by its largest singular value, so that a layer stretches nothing. */
import { whatIs } from '../prelude/mistaken.ts'
import { typeError } from '../prelude/errors.ts'
import { at } from '../prelude/array.ts'
import { requireKnown, requireWhole } from '../prelude/options.ts'
import { widened } from '../tensor/precision.ts'
import { foldIn, normal } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Module } from './module.ts'
import { stateful } from './state.ts'

/** Of the weight as a matrix [in, out]: approximations of its first singular vectors, u [out] and v [in]. */
type Vectors = { readonly u: Tensor; readonly v: Tensor }

/** x / max(‖x‖, ε) */
const unit = (x: Tensor, epsilon: number): Tensor => x.div(x.square().sum().sqrt().maximum(epsilon))

/** One round of power iteration: v ← W·u / ‖W·u‖, u ← Wᵀ·v / ‖Wᵀ·v‖ (algorithm 1, with W as [in, out]). */
const iterated = (weight: Tensor, { u }: Vectors, epsilon: number): Vectors => {
  const v = unit(weight.mul(u).sum(1), epsilon)
  return { v, u: unit(weight.mul(v.expandDims(1)).sum(0), epsilon) }
}

/** [in, out] of a weight whose last axis is that of outputs, as linear layers and convolutions have it. */
const asMatrix = (weight: Tensor): Tensor => weight.reshape([-1, at(weight.shape, weight.rank - 1)])

/**
 * The layer with weight / σ in the place of its weight, σ = vᵀ·W·u its largest singular value by power iteration, whose vectors are the state: one
 * round in each pass of training, none in evaluation; no gradient flows through them. Parameters are the layer's own. As
 * `torch.nn.utils.spectral_norm`.
 *
 * @param module a linear layer or a convolution, whose weight has its outputs last
 * @param options iterations: rounds in each pass of training (default 1); epsilon: the least norm (default 1e-12)
 * @throws TypeError, when it is applied, where there is no place for the vectors
 * @example
 * ```ts
 * import { key, tensor } from 'fathom'
 * import { applyWithState, linear, spectralNorm, stateOf } from 'fathom/nn'
 *
 * const layer = spectralNorm(linear(2, 2, { bias: false }), { iterations: 20 })
 * const params = { weight: tensor([[3, 0], [0, 1]]) }
 * const [y] = applyWithState(layer, params, stateOf(layer), tensor([[6, 6]]), { train: true, key: key(0) })
 * y // => [[6, 2]]
 * ```
 */
export const spectralNorm = <P extends { readonly weight: Tensor }, In, Out>(
  module: Module<P, In, Out>,
  options: { readonly iterations?: number; readonly epsilon?: number } = {},
): Module<P, In, Out> => {
  requireKnown('spectralNorm', options, ['iterations', 'epsilon'])
  const { iterations = 1, epsilon = 1e-12 } = options
  requireWhole('spectralNorm', 'iterations', iterations)
  if (typeof module?.apply !== 'function')
    throw typeError(`spectralNorm: got ${whatIs(module)} where a layer is expected, such as linear(4, 4)`)
  if (module.state !== undefined)
    throw new RangeError(
      'spectralNorm: takes a layer without a state, as linear or conv2d: normalise the layers within',
    )
  return stateful<P, Vectors, In, Out>({
    name: 'spectralNorm',
    init: module.init,
    state: (key) => {
      const [inputs, outputs] = asMatrix(module.init(key).weight).shape
      const start = (name: string, size = 0): Tensor => unit(normal(foldIn(key, name), [size]), epsilon)
      return { u: start('u', outputs), v: start('v', inputs) }
    },
    apply: (params, state, input, mode) => {
      const matrix = widened(asMatrix(params.weight))
      const fixed = matrix.stopGradient()
      let vectors: Vectors = { u: state.u.cast(matrix.dtype), v: state.v.cast(matrix.dtype) }
      for (let i = 0; mode.train && i < iterations; i++) vectors = iterated(fixed, vectors, epsilon)
      const sigma = matrix.mul(vectors.v.expandDims(1)).mul(vectors.u).sum()
      const next = { u: vectors.u.cast('f32'), v: vectors.v.cast('f32') }
      return [
        module.apply({ ...params, weight: params.weight.div(sigma.cast(params.weight.dtype)) }, input, mode),
        next,
      ]
    },
  })
}
