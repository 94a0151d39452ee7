/** Whole networks, as small as they come. */
import fc from 'fast-check'
import { mlp } from '../../../src/models/mlp.ts'
import { resBlock } from '../../../src/models/lucidrains/resBlock.ts'
import { unet } from '../../../src/models/lucidrains/unet.ts'
import { evaluate } from '../../../src/nn/module.ts'
import { constant } from '../../../src/tensor/create.ts'
import { key } from '../../../src/tensor/random.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { mapTree } from '../../../src/tensor/tree.ts'
import { arrays, elementAt, type NdArray } from '../../array.ts'
import { badRange, badShape, entry, one, table, type Case, type Entry } from '../entry.ts'
import { convolved3 } from './basic.ts'
import { applied, layer, size, sizeableArrays, type Params } from './module.ts'
import { affine, mapped, nd, rms, siluOf, zipped } from './plain.ts'

const normedConv = (x: NdArray, params: Params, path: string): NdArray =>
  rms(convolved3(x, params, `${path}.conv`), params(`${path}.norm.gain`))

/** silu(block2(silu(block1(x)·(scale + 1) + shift))) + skip(x). */
const block = (params: Params, x: NdArray, time: NdArray, skip: boolean): NdArray => {
  const told = affine(mapped(time, siluOf), params('time.weight'), params('time.bias'))
  const first = normedConv(x, params, 'block1')
  const outputs = first.shape.at(-1) ?? 0
  const h = table(first.shape, (index) => {
    const [n = 0, c = 0] = [index[0], index.at(-1)]
    return elementAt(first, index) * (elementAt(told, [n, c]) + 1) + elementAt(told, [n, outputs + c])
  })
  const second = mapped(normedConv(mapped(nd(h), siluOf), params, 'block2'), siluOf)
  return zipped(second, skip ? affine(x, params('skip.weight'), params('skip.bias')) : x, (a, b) => a + b)
}

const given = (x: NdArray | undefined): NdArray => {
  if (x === undefined) throw new Error('the oracle has no input')
  return x
}

const tiny = unet({ channels: 1, width: 4, multipliers: [1, 1], heads: 1, headWidth: 2, memory: 1 })

let parameters: ReturnType<typeof tiny.init> | undefined

/** Its first parameters, made when they are asked for. */
const initial = (): NonNullable<typeof parameters> => {
  parameters ??= tiny.init(key(3))
  return parameters
}

const directions = 6

/** start + D·by for each parameter: they move along six fixed directions, as far as `by` [6] says, and only six numbers are differentiated. */
const moved = (by: Tensor) => {
  let stream = 0
  return mapTree(initial(), (p) => {
    const [shape, k] = [p.shape, stream++]
    const start = Float64Array.from({ length: p.size }, (_, j) => 0.3 * Math.cos(3 * k + 1.7 * j) + 0.05)
    const along = Float64Array.from({ length: p.size * directions }, (_, j) => 0.1 * Math.sin(k + j * j))
    const shift = constant(along, { shape: [p.size, directions] }).matmul(by.reshape([directions, 1]))
    return constant(start, { shape }).add(shift.reshape(shape))
  })
}

const unetCase: fc.Arbitrary<Case> = fc
  .tuple(arrays([directions], 'f64'), arrays([1, 2, 2, 1], 'f64'), sizeableArrays([1], 'f64'))
  .map((inputs) => ({
    inputs,
    build: (by, x, t) => tiny.apply(moved(one(by)), { x: one(x), t: one(t) }, evaluate),
  }))

/** A row for each. */
export const models: { readonly [K in 'mlp' | 'resBlock' | 'unet']: Entry } = {
  mlp: layer(
    fc.tuple(size(3), size(3)),
    ([a, b], dtype) => ({
      layer: mlp([a, 3, b]),
      inputs: [sizeableArrays([2, a], dtype)],
      oracle: (params, x) =>
        affine(
          mapped(affine(given(x), params('layers.0.weight'), params('layers.0.bias')), siluOf),
          params('layers.1.weight'),
          params('layers.1.bias'),
        ),
    }),
    { errors: [badRange(/^mlp: needs the widths of its input and its output, got \[3\]$/, [], () => mlp([3]))] },
  ),
  resBlock: layer(
    fc.tuple(size(3, 2), size(3, 2), fc.boolean()),
    ([a, b, train], dtype) => ({
      layer: resBlock(a, b, 2, 0.2),
      inputs: [sizeableArrays([1, 2, 2, a], dtype), sizeableArrays([1, 2], dtype)],
      input: (x, time) => ({ x: one(x), time: one(time) }),
      train,
      ...(train ? {} : { oracle: (params, x, time) => block(params, given(x), given(time), a !== b) }),
    }),
    {
      step: 1e-4, // norms of two channels may be small
      errors: [
        badShape(
          /^block1\.conv: conv2d: input has 3 channels, filter expects 2/,
          ['f32[1,2,2,3]', 'f32[1,2]'],
          (x, time) => applied(resBlock(2, 2, 2))({ x: one(x), time: one(time) }),
        ),
      ],
    },
  ),
  unet: entry({
    dtypes: ['f64'],
    cases: () => unetCase,
    differentiableIn: [0, 1, 2],
    elements: 24,
    step: 4e-4,
    lacks: ['scalar', 'empty', 'odd'],
    errors: [
      badShape(/^unet: takes images \[N, H, W, 1\], got \[1,2,2,3\]$/, ['f32[1,2,2,3]', 'f32[1]'], (x, t) =>
        tiny.apply(initial(), { x: one(x), t: one(t) }),
      ),
      badShape(
        /^unet: images of 3×2 do not fit: height and width must be divisible by 2 \(1 halvings\); use height 2 or 4, width 2$/,
        ['f32[1,3,2,1]', 'f32[1]'],
        (x, t) => tiny.apply(initial(), { x: one(x), t: one(t) }),
      ),
      badRange(/^unet: multipliers is empty; it needs one number for each stage$/, [], () =>
        unet({ width: 4, multipliers: [] }),
      ),
      badRange(/^unet: heads has 1 values for 2 stages/, [], () => unet({ width: 4, multipliers: [1, 1], heads: [1] })),
      badRange(/^unet: fullAttention has 3 values for 2 stages/, [], () =>
        unet({ width: 4, multipliers: [1, 1], fullAttention: [true, false, true] }),
      ),
    ],
  }),
}
