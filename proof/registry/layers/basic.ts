/** Linear maps, convolutions, norms and tables. */
import fc from 'fast-check'
import {
  checkpointed,
  conv1d,
  conv2d,
  conv3d,
  convTranspose2d,
  dropout,
  dropout2d,
  dropPath,
  embedding,
  groupNorm,
  instanceNorm,
  layerNorm,
  lift,
  prelu,
  linear,
  normalizeGroups,
  normalizeVectors,
  rmsNorm,
  sequential,
  fourierTimeEmbedding,
  sinusoidalTimeEmbedding,
} from '../../../src/nn/index.ts'
import { downsample, upsample } from '../../../src/models/index.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { arrays, elementAt, indices, type NdArray } from '../../array.ts'
import { badDType, badRange, badShape, entry, one, table, wide, type Entry, type Expected } from '../entry.ts'
import { repeated, spread, unshuffled } from '../functions/images.ts'
import { correlated } from '../primitives/contraction.ts'
import { applied, image, layer, size, sizeableArrays, type Params } from './module.ts'
import { affine, mapped, nd, normalized, rms, shifted, standardized, vectorAt } from './plain.ts'

const present = (x: NdArray | undefined): NdArray => {
  if (x === undefined) throw new Error('the oracle has no input')
  return x
}

/** The oracle of one input. */
const ofOne =
  (f: (params: Params, x: NdArray) => Expected) =>
  (params: Params, x?: NdArray): Expected =>
    f(params, present(x))

const plainConv = (x: NdArray, w: NdArray): NdArray =>
  nd(
    correlated(x, w, {
      stride: [1, 1],
      padLow: [1, 1],
      padHigh: [1, 1],
      inputDilation: [1, 1],
      filterDilation: [1, 1],
      groups: 1,
    }),
  )

/** A 3×3 convolution that keeps the size, and its bias. */
export const convolved3 = (x: NdArray, params: Params, path: string): NdArray =>
  shifted(plainConv(x, params(`${path}.weight`)), params(`${path}.bias`))

const linearEntry = (make: typeof linear): Entry =>
  layer(
    fc.tuple(image, size(3), size(3), fc.boolean()),
    ([lead, a, b, bias], dtype) => ({
      layer: make(a, b, { bias }),
      inputs: [sizeableArrays([...lead, a], dtype)],
      oracle: ofOne((params, x) => affine(x, params('weight'), bias ? params('bias') : undefined)),
    }),
    {
      errors: [
        badShape(/^matmul: \[2,4\] · \[3,2\]: 4 columns meet 3 rows$/, ['f32[2,4]'], (x) =>
          applied(linear(3, 2))(one(x)),
        ),
        badShape(
          /^matmul: \[\] · \[3,2\]: needs vectors, matrices or stacks of them; for a number use mul$/,
          ['f32[]'],
          (x) => applied(linear(3, 2))(one(x)),
        ),
      ],
    },
  )

const conv: Entry = layer(
  fc.record({
    groups: size(2),
    a: size(2),
    b: size(2),
    kernel: fc.tuple(size(3), size(2)),
    stride: size(2),
    padding: size(1, 0),
    dilation: size(2),
    bias: fc.boolean(),
  }),
  ({ groups, a, b, kernel, bias, ...moves }, dtype) => ({
    layer: conv2d(groups * a, groups * b, kernel, { groups, bias, ...moves }),
    inputs: [sizeableArrays([1, 5, 4, groups * a], dtype)],
    oracle: ofOne((params, x) => {
      const { stride: s, padding: p, dilation: d } = moves
      const y = correlated(x, params('weight'), {
        stride: [s, s],
        padLow: [p, p],
        padHigh: [p, p],
        inputDilation: [1, 1],
        filterDilation: [d, d],
        groups,
      })
      return shifted(nd(y), bias ? params('bias') : undefined)
    }),
  }),
  {
    errors: [
      badRange(/^conv2d: 4 groups do not divide 4 input and 6 output channels$/, [], () =>
        conv2d(4, 6, 3, { groups: 4 }),
      ),
      badShape(/^conv2d: input has 2 channels, filter expects 3/, ['f32[1,4,4,2]'], (x) =>
        applied(conv2d(3, 1, 3))(one(x)),
      ),
    ],
  },
)

/** A convolution that moves by one along all axes, with as much around on all sides. */
const shifting = (x: NdArray, w: NdArray, stride: number, padding: number): NdArray => {
  const axes = x.shape.slice(1, -1)
  const kernel = w.shape.slice(0, -2)
  const sizes = axes.map((length, i) => Math.floor((length + 2 * padding - (kernel[i] ?? 1)) / stride) + 1)
  const shape = [x.shape[0] ?? 1, ...sizes, w.shape.at(-1) ?? 1]
  return nd(
    table(shape, (index) => {
      const [n = 0, o = 0] = [index[0], index.at(-1)]
      return indices(w.shape)
        .filter((at) => at.at(-1) === o)
        .reduce((sum, at) => {
          const place = axes.map((_, i) => (index[i + 1] ?? 0) * stride + (at[i] ?? 0) - padding)
          const isInside = place.every((p, i) => p >= 0 && p < (axes[i] ?? 0))
          return isInside ? sum + elementAt(x, [n, ...place, at.at(-2) ?? 0]) * elementAt(w, at) : sum
        }, 0)
    }),
  )
}

const convolution1d: Entry = layer(
  fc.record({ a: size(2), b: size(2), kernel: size(3), stride: size(2), padding: size(1, 0), bias: fc.boolean() }),
  ({ a, b, kernel, stride, padding, bias }, dtype) => ({
    layer: conv1d(a, b, kernel, { stride, padding, bias }),
    inputs: [sizeableArrays([2, 5, a], dtype)],
    oracle: ofOne((params, x) =>
      shifted(shifting(x, params('weight'), stride, padding), bias ? params('bias') : undefined),
    ),
  }),
  {
    errors: [
      badShape(/^conv1d: takes sequences \[N, L, 2\], got \[4,2\]$/, ['f32[4,2]'], (x) =>
        applied(conv1d(2, 1, 3))(one(x)),
      ),
    ],
  },
)

const convolution3d: Entry = layer(
  fc.record({ a: size(2), b: size(2), kernel: size(3), padding: size(1, 0), bias: fc.boolean() }),
  ({ a, b, kernel, padding, bias }, dtype) => ({
    layer: conv3d(a, b, kernel, { padding, bias }),
    inputs: [sizeableArrays([1, 3, 3, 3, a], dtype)],
    oracle: ofOne((params, x) => shifted(shifting(x, params('weight'), 1, padding), bias ? params('bias') : undefined)),
  }),
  {
    errors: [
      badShape(/^conv3d: takes frames \[N, T, H, W, 2\], got \[1,4,4,2\]$/, ['f32[1,4,4,2]'], (x) =>
        applied(conv3d(2, 1, 3))(one(x)),
      ),
    ],
  },
)

const convTranspose: Entry = layer(
  fc.record({
    a: size(2),
    b: size(2),
    kernel: fc.tuple(size(3, 2), size(3, 2)),
    stride: size(2),
    padding: size(1, 0),
    bias: fc.boolean(),
  }),
  ({ a, b, kernel, stride, padding, bias }, dtype) => ({
    layer: convTranspose2d(a, b, kernel, { stride, padding, bias, outputPadding: stride - 1 }),
    inputs: [sizeableArrays([2, 2, 3, a], dtype)],
    oracle: ofOne((params, x) => {
      const y = spread(x, params('weight'), {
        stride: [stride, stride],
        padding: [padding, padding],
        outputPadding: [stride - 1, stride - 1],
      })
      return shifted(nd(y), bias ? params('bias') : undefined)
    }),
  }),
  {
    errors: [
      badShape(/^conv2d: input has 2 channels, filter expects 3/, ['f32[1,4,4,2]'], (x) =>
        applied(convTranspose2d(3, 1, 3))(one(x)),
      ),
    ],
  },
)

/** (x − mean) / √(variance + ε) over the pixels and channels of each group. */
const grouped = (x: NdArray, groups: number, epsilon: number): NdArray => {
  const each = (x.shape.at(-1) ?? 0) / groups
  const groupOf = (index: readonly number[]): number => Math.floor((index.at(-1) ?? 0) / each)
  return nd(
    table(x.shape, (index) => {
      const among = indices(x.shape).filter((i) => i[0] === index[0] && groupOf(i) === groupOf(index))
      return standardized(
        elementAt(x, index),
        among.map((i) => elementAt(x, i)),
        epsilon,
      )
    }),
  )
}

const scaled = (x: NdArray, params: Params): NdArray =>
  nd(
    table(x.shape, (index) => {
      const c = index.slice(-1)
      return elementAt(x, index) * elementAt(params('weight'), c) + elementAt(params('bias'), c)
    }),
  )

const withoutParams = (f: (x: Tensor) => Tensor) => lift(f)

/** What drops in training and does nothing in evaluation. */
const dropping = (make: typeof dropout, errors: Entry['errors']): Entry =>
  entry({
    ...layer(fc.tuple(image, size(3), fc.boolean()), ([lead, c, train], dtype) => ({
      layer: make(0.4),
      inputs: [sizeableArrays([...lead, c], dtype)],
      train,
      ...(train ? {} : { oracle: ofOne((_, x) => x) }),
    })),
    dtypes: wide,
    linearIn: [0],
    errors,
  })

/** A row for each. */
export const basicLayers: {
  readonly [
    K in
      | 'linear'
      | 'conv1d'
      | 'conv2d'
      | 'conv3d'
      | 'convTranspose2d'
      | 'groupNorm'
      | 'normalizeGroups'
      | 'layerNorm'
      | 'rmsNorm'
      | 'normalizeVectors'
      | 'embedding'
      | 'sinusoidalTimeEmbedding'
      | 'fourierTimeEmbedding'
      | 'dropout'
      | 'dropout2d'
      | 'dropPath'
      | 'instanceNorm'
      | 'prelu'
      | 'upsample'
      | 'downsample'
      | 'checkpointed'
      | 'sequential'
  ]: Entry
} = {
  linear: linearEntry(linear),
  checkpointed: linearEntry((a, b, options) => checkpointed(linear(a, b, options))),
  conv1d: convolution1d,
  conv2d: conv,
  conv3d: convolution3d,
  convTranspose2d: convTranspose,
  sequential: layer(
    fc.tuple(size(2), size(3), size(3)),
    ([n, a, b], dtype) => ({
      layer: sequential({
        first: linear(a, b),
        tanh: lift((x: Tensor) => x.tanh()),
        second: linear(b, 2, { bias: false }),
      }),
      inputs: [sizeableArrays([n, a], dtype)],
      oracle: ofOne((params, x) =>
        affine(mapped(affine(x, params('first.weight'), params('first.bias')), Math.tanh), params('second.weight')),
      ),
    }),
    {
      errors: [
        badRange(/^sequential: the name '1' is a number, and JavaScript would move it to the front/, [], () =>
          sequential({ first: linear(1, 1), 1: linear(1, 1) }),
        ),
      ],
    },
  ),
  groupNorm: layer(
    fc.tuple(image, size(2), size(2)),
    ([lead, groups, each], dtype) => ({
      layer: groupNorm(groups, groups * each, { epsilon: 0.3 }),
      inputs: [sizeableArrays([...lead, groups * each], dtype)],
      oracle: ofOne((params, x) => scaled(grouped(x, groups, 0.3), params)),
    }),
    { errors: [badRange(/^groupNorm: 3 groups do not divide 4 channels$/, [], () => groupNorm(3, 4))] },
  ),
  normalizeGroups: layer(fc.tuple(image, size(2), size(2)), ([lead, groups, each], dtype) => ({
    layer: withoutParams((x) => normalizeGroups(x, groups, 0.2)),
    inputs: [sizeableArrays([...lead, groups * each], dtype)],
    oracle: ofOne((_, x) => grouped(x, groups, 0.2)),
  })),
  layerNorm: layer(
    fc.tuple(image, size(4, 2)),
    ([lead, c], dtype) => ({
      layer: layerNorm(c, { epsilon: 0.3 }),
      inputs: [sizeableArrays([...lead, c], dtype)],
      oracle: ofOne((params, x) => {
        const y = table(x.shape, (index) => standardized(elementAt(x, index), vectorAt(x, index), 0.3))
        return scaled(nd(y), params)
      }),
    }),
    {
      errors: [
        badShape(/^mul: \[2,3\] and \[2\] do not broadcast/, ['f32[2,3]'], (x) => applied(layerNorm(2))(one(x))),
      ],
    },
  ),
  rmsNorm: layer(
    fc.tuple(image, size(4, 2)),
    ([lead, c], dtype) => ({
      layer: rmsNorm(c),
      inputs: [sizeableArrays([...lead, c], dtype)],
      oracle: ofOne((params, x) => rms(x, params('gain'))),
    }),
    {
      errors: [badShape(/^mul: \[2,3\] and \[2\] do not broadcast/, ['f32[2,3]'], (x) => applied(rmsNorm(2))(one(x)))],
    },
  ),
  normalizeVectors: layer(fc.tuple(image, size(4, 2)), ([lead, c], dtype) => ({
    layer: withoutParams(normalizeVectors),
    inputs: [sizeableArrays([...lead, c], dtype)],
    oracle: ofOne((_, x) => normalized(x)),
  })),
  embedding: layer(
    fc.tuple(size(4), size(3), fc.array(size(3), { maxLength: 2 })),
    ([count, width, shape]) => ({
      layer: embedding(count, width),
      inputs: [arrays(shape, 'i32', fc.integer({ min: 0, max: count - 1 }))],
      oracle: ofOne((params, x) =>
        table([...x.shape, width], (index) =>
          elementAt(params('weight'), [elementAt(x, index.slice(0, -1)), index.at(-1) ?? 0]),
        ),
      ),
    }),
    {
      linearIn: [0],
      errors: [
        badDType(/^gather: indices must be i32 or u32, got f32$/, ['f32[2]'], (x) => applied(embedding(3, 2))(one(x))),
      ],
    },
  ),
  sinusoidalTimeEmbedding: layer(
    fc.tuple(size(4, 2), size(3), fc.constantFrom(0, 1), fc.boolean()),
    ([half, n, shift, cosinesFirst], dtype) => ({
      layer: sinusoidalTimeEmbedding(2 * half, { shift, cosinesFirst }),
      inputs: [sizeableArrays([n], dtype)],
      oracle: ofOne((_, t) =>
        table([n, 2 * half], ([i = 0, c = 0]) => {
          const angle = (t.data[i] ?? NaN) * 10000 ** (-(c % half) / (half - shift))
          return c < half === cosinesFirst ? Math.cos(angle) : Math.sin(angle)
        }),
      ),
    }),
    {
      errors: [
        badRange(/^sinusoidalTimeEmbedding: the width is 5; it must be even and at least 4$/, [], () =>
          sinusoidalTimeEmbedding(5),
        ),
        badRange(/^sinusoidalTimeEmbedding: the width is 2;/, [], () => sinusoidalTimeEmbedding(2)),
        badRange(/^sinusoidalTimeEmbedding: the width is 6; it must be even and at least 8$/, [], () =>
          sinusoidalTimeEmbedding(6, { shift: 3 }),
        ),
      ],
    },
  ),
  fourierTimeEmbedding: layer(
    fc.tuple(size(4), size(3)),
    ([half, n], dtype) => ({
      layer: fourierTimeEmbedding(2 * half),
      inputs: [sizeableArrays([n], dtype)],
      oracle: ofOne((params, t) =>
        table([n, 2 * half + 1], ([i = 0, c = 0]) => {
          const time = t.data[i] ?? NaN
          if (c === 0) return time
          const angle = 2 * Math.PI * time * elementAt(params('frequencies'), [(c - 1) % half])
          return c <= half ? Math.sin(angle) : Math.cos(angle)
        }),
      ),
    }),
    {
      errors: [
        badRange(/^fourierTimeEmbedding: the width is 5; it must be even and at least 2$/, [], () =>
          fourierTimeEmbedding(5),
        ),
      ],
    },
  ),
  dropout: dropping(dropout, [
    badRange(/^dropout: the rate is 1; it must be at least 0 and below 1$/, [], () => dropout(1)),
    badRange(/^dropout: the rate is -0\.1;/, [], () => dropout(-0.1)),
    badRange(/^dropout: the rate is NaN;/, [], () => dropout(NaN)),
  ]),
  dropout2d: dropping(dropout2d, [
    badRange(/^dropout2d: the rate is 1;/, [], () => dropout2d(1)),
    badShape(/^dropout2d: needs a batch and channels, \[N, …, C\], got \[3\]$/, ['f32[3]'], (x) =>
      applied(dropout2d(0.4))(one(x)),
    ),
  ]),
  dropPath: dropping(dropPath, [
    badRange(/^dropPath: the rate is NaN;/, [], () => dropPath(NaN)),
    badShape(/^dropPath: needs a batch, \[N, …\], got a scalar$/, ['f32[]'], (x) => applied(dropPath(0.4))(one(x))),
  ]),
  instanceNorm: layer(
    fc.tuple(image, size(3), fc.boolean()),
    ([[n, h, w], c, affine], dtype) => ({
      layer: instanceNorm(c, { epsilon: 0.3, affine }),
      inputs: [sizeableArrays([n, h, w, c], dtype)],
      oracle: ofOne((params, x) => {
        const channel = (index: readonly number[]): readonly number[] =>
          indices([h, w]).map(([y = 0, z = 0]) => elementAt(x, [index[0] ?? 0, y, z, index[3] ?? 0]))
        return table(x.shape, (index) => {
          const y = standardized(elementAt(x, index), channel(index), 0.3)
          const at = index.slice(-1)
          return affine ? y * elementAt(params('weight'), at) + elementAt(params('bias'), at) : y
        })
      }),
    }),
    {
      errors: [
        badRange(/^instanceNorm: the images have 2 channels, the layer 3$/, ['f32[1,2,2,2]'], (x) =>
          applied(instanceNorm(3))(one(x)),
        ),
      ],
    },
  ),
  prelu: layer(fc.tuple(image, size(3), fc.boolean()), ([lead, c, shared], dtype) => ({
    layer: prelu(shared ? 1 : c),
    inputs: [sizeableArrays([...lead, c], dtype)],
    oracle: ofOne((params, x) =>
      table(x.shape, (index) => {
        const [v, w] = [elementAt(x, index), elementAt(params('weight'), shared ? [0] : index.slice(-1))]
        return v > 0 ? v : w * v
      }),
    ),
  })),
  upsample: layer(
    fc.tuple(size(2), size(2), size(2)),
    ([n, a, b], dtype) => ({
      layer: upsample(a, b),
      inputs: [sizeableArrays([n, 2, 1, a], dtype)],
      oracle: ofOne((params, x) => convolved3(nd(repeated(x, 2)), params, 'conv')),
    }),
    {
      errors: [
        badShape(/^conv: conv2d: input has 2 channels, filter expects 1/, ['f32[1,2,2,2]'], (x) =>
          applied(upsample(1, 1))(one(x)),
        ),
      ],
    },
  ),
  downsample: layer(
    fc.tuple(size(2), size(3), size(2)),
    ([n, a, b], dtype) => ({
      layer: downsample(a, b),
      inputs: [sizeableArrays([n, 2, 4, a], dtype)],
      oracle: ofOne((params, x) => affine(nd(unshuffled(x, 2)), params('project.weight'), params('project.bias'))),
    }),
    {
      errors: [
        badShape(/^pixelUnshuffle: windows of \[2,2\] do not tile \[1,3,4,1\]$/, ['f32[1,3,4,1]'], (x) =>
          applied(downsample(1, 1))(one(x)),
        ),
      ],
    },
  ),
}
