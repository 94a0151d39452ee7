/** Layers with a state, in plain loops: their state is given, as one input or fixed, and the output is what is looked at. */
import fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import { applyWithState, batchNorm, linear, spectralNorm, type ModelState, type Module } from '../../../src/nn/index.ts'
import { constant, ones, zeros } from '../../../src/tensor/create.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { elementAt, indices, type NdArray } from '../../array.ts'
import { badShape, one, table, type Entry, type Expected } from '../entry.ts'
import { sum } from '../primitives/reduction.ts'
import { image, layer, size, sizeableArrays, type Params } from './module.ts'
import { affine, mapped, standardized } from './plain.ts'

/** The output alone, from a state. */
const outputOf = <P>(layer: Module<P>, state: ModelState): Module<P> => ({
  init: layer.init,
  apply: (params, x, mode) => applyWithState(layer, params, state, x, mode)[0],
})

/** Running statistics of channel c: mean c / 8, variance 1 + c / 4, exact in f32. */
const fixed = (channels: number): ModelState => ({
  count: zeros([], 'i32'),
  mean: constant(Array.from({ length: channels }, (_, c) => c / 8)),
  variance: constant(Array.from({ length: channels }, (_, c) => 1 + c / 4)),
})

const epsilon = 0.3

const batchNormalised = (params: Params, x: NdArray, train: boolean): Expected =>
  table(x.shape, (index) => {
    const c = index.at(-1) ?? 0
    const value = elementAt(x, index)
    const channel = indices(x.shape.slice(0, -1)).map((place) => elementAt(x, [...place, c]))
    const y = train ? standardized(value, channel, epsilon) : (value - c / 8) / Math.sqrt(1 + c / 4 + epsilon)
    return y * elementAt(params('weight'), [c]) + elementAt(params('bias'), [c])
  })

interface Given {
  readonly x: Tensor
  readonly u: Tensor
  readonly v: Tensor
}

/** A linear layer with the square of its weight, whose singular vectors are inputs: with positive ones no sum is near 0. */
const stretching = (inputs: number, outputs: number): Module<{ readonly weight: Tensor }, Given> => {
  const normal = spectralNorm(linear(inputs, outputs, { bias: false }))
  return {
    init: normal.init,
    apply: ({ weight }, { x, u, v }) => applyWithState(normal, { weight: weight.square() }, { u, v }, x)[0],
  }
}

/** x·W / (vᵀ·W·u), W the square of the weight */
const spectrallyNormalised = (params: Params, x: NdArray, u: NdArray, v: NdArray): Expected => {
  const weight = mapped(params('weight'), (w) => w * w)
  const sigma = sum(
    indices(weight.shape).map(([i = 0, j = 0]) => elementAt(v, [i]) * elementAt(weight, [i, j]) * elementAt(u, [j])),
  )
  const y = affine(x, weight)
  return table(y.shape, (index) => elementAt(y, index) / sigma)
}

/** Positive numbers. */
const positive = (shape: readonly number[], dtype: DType): fc.Arbitrary<NdArray> =>
  sizeableArrays(shape, dtype).map((x) => ({ ...x, data: x.data.map(Math.abs) }))

const given = (x: NdArray | undefined): NdArray => {
  if (x === undefined) throw new Error('the oracle has no input')
  return x
}

/** A row for each. */
export const statefulLayers: { readonly [K in 'batchNorm' | 'spectralNorm']: Entry } = {
  batchNorm: layer(
    fc.tuple(image, size(3), fc.boolean()),
    ([lead, channels, train], dtype) => ({
      layer: outputOf(batchNorm(channels, { epsilon }), fixed(channels)),
      inputs: [sizeableArrays([...lead, channels], dtype)],
      train,
      oracle: (params, x) => batchNormalised(params, given(x), train),
    }),
    {
      errors: [
        badShape(/^batchNorm: takes \[N, …, 2\], got \[4,3\]/, ['f32[4,3]'], (x) =>
          applyWithState(batchNorm(2), { weight: ones([2]), bias: zeros([2]) }, fixed(2), one(x)),
        ),
      ],
    },
  ),
  spectralNorm: layer(fc.tuple(size(2), size(3), size(3)), ([n, inputs, outputs], dtype) => ({
    layer: stretching(inputs, outputs),
    inputs: [sizeableArrays([n, inputs], dtype), positive([outputs], dtype), positive([inputs], dtype)],
    input: (x, u, v) => ({ x: one(x), u: one(u), v: one(v) }),
    oracle: (params, x, u, v) => spectrallyNormalised(params, given(x), given(u), given(v)),
  })),
}
