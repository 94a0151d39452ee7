/** Whole networks, as small as they come. */
import fc from 'fast-check'
import { dit } from '../../../src/models/dit/dit.ts'
import { gpt } from '../../../src/models/gpt/gpt.ts'
import { mlp } from '../../../src/models/mlp.ts'
import { resBlock } from '../../../src/models/lucidrains/resBlock.ts'
import { unet } from '../../../src/models/lucidrains/unet.ts'
import { edm2 } from '../../../src/models/edm2/edm2.ts'
import { unet1d } from '../../../src/models/lucidrains/unet1d.ts'
import { unet3d } from '../../../src/models/lucidrains/unet3d.ts'
import { unet2d } from '../../../src/models/unet2d/unet2d.ts'
import { uvit } from '../../../src/models/uvit/uvit.ts'
import { vit } from '../../../src/models/vit/vit.ts'
import type { DenoiserInput } from '../../../src/models/family.ts'
import { evaluate, type Module } from '../../../src/nn/module.ts'
import { constant } from '../../../src/tensor/create.ts'
import { key, type Key } from '../../../src/tensor/random.ts'
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

const tinyOptions = { channels: 1, width: 4, multipliers: [1, 1], heads: 1, headWidth: 2, memory: 1 } as const

const tiny = unet(tinyOptions)

const tiny1d = unet1d(tinyOptions)

const tiny3d = unet3d(tinyOptions)

/** The first parameters of a network, made when they are asked for. */
const firstOf = <P>({ init }: { readonly init: (seed: Key) => P }): (() => P) => {
  let parameters: { readonly made: P } | undefined
  return () => {
    parameters ??= { made: init(key(3)) }
    return parameters.made
  }
}

const [initial, initial1d, initial3d] = [firstOf(tiny), firstOf(tiny1d), firstOf(tiny3d)]

const directions = 6

/**
 * start + D·by for each parameter: they move along six fixed directions, as far as `by` [6] says, and only six numbers are differentiated. Frequencies
 * and phases of times stay where they are: they get no gradient.
 */
const moved = <P>(first: P, by: Tensor): P => {
  let stream = 0
  return mapTree<P, P>(first, (p, path) => {
    const [shape, k] = [p.shape, stream++]
    const start = Float64Array.from({ length: p.size }, (_, j) => 0.3 * Math.cos(3 * k + 1.7 * j) + 0.05)
    const along = Float64Array.from({ length: p.size * directions }, (_, j) => 0.1 * Math.sin(k + j * j))
    const shift = constant(along, { shape: [p.size, directions] }).matmul(by.reshape([directions, 1]))
    const from = constant(start, { shape })
    return path.startsWith('time.fourier') ? from : from.add(shift.reshape(shape))
  })
}

/** A network that denoises, with parameters that move: one function for all of its cases. */
const movedBuild =
  <P>(network: Module<P, DenoiserInput>, first: () => P): Case['build'] =>
  (by, x, t) =>
    network.apply(moved(first(), one(by)), { x: one(x), t: one(t) }, evaluate)

/** A network of lucidrains' blocks on x of this shape. */
const unetCase = (network: typeof tiny, first: typeof initial, shape: readonly number[]): fc.Arbitrary<Case> => {
  const build = movedBuild(network, first)
  return fc
    .tuple(arrays([directions], 'f64'), arrays([...shape], 'f64'), sizeableArrays([1], 'f64'))
    .map((inputs) => ({ inputs, build }))
}

/** The U-Net of diffusers, as small as it comes, in stages of different kinds. */
const tiny2d = (['attention', 'residual', 'skip'] as const).map((kind) => {
  const scaleShift = kind === 'residual'
  const down = [kind, 'plain'] as const
  return unet2d({ channels: 1, widths: [4, 4], layers: 1, groups: 1, headWidth: 2, down, scaleShift })
})

const unet2dCase: fc.Arbitrary<Case> = fc
  .tuple(
    fc.constantFrom(...tiny2d.map((network) => movedBuild(network, firstOf(network)))),
    arrays([directions], 'f64'),
    arrays([1, 2, 2, 1], 'f64'),
    sizeableArrays([1], 'f64'),
  )
  .map(([build, ...inputs]) => ({ inputs, build }))

/** A transformer, as small as it comes. */
const tinyTransformer = { channels: 1, patch: 1, width: 4, depth: 1, heads: 1, mlpRatio: 1 }

const tinyDit = dit(tinyTransformer)
const tinyUvit = uvit({ ...tinyTransformer, depth: 3 })

/** A transformer with parameters that move along six directions, on an image of 2×1. */
const transformerCase = <P>(network: Module<P, DenoiserInput>): fc.Arbitrary<Case> => {
  const build = movedBuild(network, firstOf(network))
  return fc
    .tuple(arrays([directions], 'f64'), arrays([1, 2, 1, 1], 'f64'), sizeableArrays([1], 'f64'))
    .map((inputs) => ({ inputs, build }))
}

const tinyVit = vit({ size: [2, 1], channels: 1, patch: 1, width: 4, depth: 1, heads: 1, classes: 2 })

const initialVit = firstOf(tinyVit)

/** A vision transformer on a picture of 2×1. */
const vitCase: fc.Arbitrary<Case> = fc
  .tuple(arrays([directions], 'f64'), arrays([1, 2, 1, 1], 'f64'))
  .map((inputs) => ({ inputs, build: (by, x) => tinyVit.apply(moved(initialVit(), one(by)), one(x), evaluate) }))

/** Language models with places learned or turned, as small as they come. */
const tinyGpts = (['learned', 'rotary'] as const).map((positions) => {
  const network = gpt({ vocabulary: 3, context: 3, width: 4, depth: 1, heads: 2, positions })
  return { network, first: firstOf(network) }
})

const gptCase: fc.Arbitrary<Case> = fc
  .tuple(fc.constantFrom(...tinyGpts), arrays([directions], 'f64'), fc.array(fc.nat(2), { minLength: 3, maxLength: 3 }))
  .map(([{ network, first }, by, data]) => ({
    inputs: [by, { shape: [1, 3], dtype: 'i32', data }],
    build: (given, ids) => network.apply(moved(first(), one(given)), one(ids), evaluate),
  }))

/** One of {@link tiny2d}, with its first parameters, on an image. */
const applied2d = (x: Tensor | undefined, t: Tensor | undefined): Tensor =>
  applied(unet2d({ channels: 1, widths: [4, 4], layers: 1, groups: 1 }))({ x: one(x), t: one(t) })

/** EDM2's U-Net, as small as it comes. */
const tinyEdm2 = edm2({
  channels: 1,
  width: 2,
  multipliers: [1, 1],
  blocks: 1,
  headWidth: 2,
  attentionAt: [],
  times: 10,
})

const initialEdm2 = firstOf(tinyEdm2)

const edm2Build = movedBuild(tinyEdm2, initialEdm2)

const edm2Case: fc.Arbitrary<Case> = fc
  .tuple(arrays([directions], 'f64'), arrays([1, 2, 2, 1], 'f64'), sizeableArrays([1], 'f64'))
  .map((inputs) => ({ inputs, build: edm2Build }))

const appliedEdm2 = (x: Tensor | undefined, t: Tensor | undefined): Tensor =>
  applied(tinyEdm2)({ x: one(x), t: one(t) })

/** A row for each. */
export const models: {
  readonly [
    K in 'dit' | 'edm2' | 'gpt' | 'mlp' | 'resBlock' | 'unet' | 'unet1d' | 'unet2d' | 'unet3d' | 'uvit' | 'vit'
  ]: Entry
} = {
  dit: entry({
    dtypes: ['f64'],
    cases: () => transformerCase(tinyDit),
    differentiableIn: [0, 1, 2],
    elements: 24,
    step: 4e-4,
    lacks: ['scalar', 'empty', 'odd'],
    errors: [
      badShape(/^dit: takes images \[N, H, W, 1\], got \[1,2,2,3\]$/, ['f32[1,2,2,3]', 'f32[1]'], (x, t) =>
        applied(tinyDit)({ x: one(x), t: one(t) }),
      ),
      badShape(
        /^dit: images of 3×2 do not fit: height and width must be divisible by 2 \(patches of 2×2\); use height 2 or 4, width 2$/,
        ['f32[1,3,2,1]', 'f32[1]'],
        (x, t) => applied(dit({ ...tinyTransformer, patch: 2 }))({ x: one(x), t: one(t) }),
      ),
      badRange(/^dit: heads must be a divisor of the width: 3 cannot share 4$/, [], () =>
        dit({ ...tinyTransformer, heads: 3 }),
      ),
    ],
  }),
  edm2: entry({
    dtypes: ['f64'],
    cases: () => edm2Case,
    differentiableIn: [0, 1, 2],
    elements: 24,
    step: 4e-4,
    lacks: ['scalar', 'empty', 'odd'],
    errors: [
      badShape(/^edm2: takes images \[N, H, W, 1\], got \[1,2,2,3\]$/, ['f32[1,2,2,3]', 'f32[1]'], appliedEdm2),
      badShape(/^edm2: images of 3×2 do not fit/, ['f32[1,3,2,1]', 'f32[1]'], appliedEdm2),
      badRange(
        /^edm2: headWidth must be a divisor of the widths with attention, as of 4, for instance 4; its default is 64$/,
        [],
        () => edm2({ width: 4, multipliers: [1], blocks: 1 }),
      ),
      badRange(/^edm2: attentionAt must be a list of stages from 0 to 0$/, [], () =>
        edm2({ width: 4, multipliers: [1], blocks: 1, headWidth: 4, attentionAt: [1] }),
      ),
    ],
  }),
  gpt: entry({
    dtypes: ['f64'],
    cases: () => gptCase,
    differentiableIn: [0],
    elements: 24,
    step: 4e-4,
    lacks: ['scalar', 'empty', 'odd'],
    errors: [
      badShape(/^gpt: takes tokens \[N, T\], T up to 3, got \[1,4\]$/, ['i32[1,4]'], (ids) =>
        applied(gpt({ vocabulary: 3, context: 3, width: 4, depth: 1, heads: 2 }))(one(ids)),
      ),
      badRange(/^gpt: vocabulary is 0; it must be a whole number ≥ 1$/, [], () => gpt({ vocabulary: 0 })),
    ],
  }),
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
    cases: () => unetCase(tiny, initial, [1, 2, 2, 1]),
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
  unet1d: entry({
    dtypes: ['f64'],
    cases: () => unetCase(tiny1d, initial1d, [1, 4, 1]),
    differentiableIn: [0, 1, 2],
    elements: 24,
    step: 4e-4,
    lacks: ['scalar', 'empty', 'odd'],
    errors: [
      badShape(/^unet1d: takes sequences \[N, L, 1\], got \[1,2,2,1\]$/, ['f32[1,2,2,1]', 'f32[1]'], (x, t) =>
        tiny1d.apply(initial1d(), { x: one(x), t: one(t) }),
      ),
      badShape(
        /^unet1d: sequences of 5 do not fit: the length must be divisible by 2 \(1 halvings\)$/,
        ['f32[1,5,1]', 'f32[1]'],
        (x, t) => tiny1d.apply(initial1d(), { x: one(x), t: one(t) }),
      ),
    ],
  }),
  unet3d: entry({
    dtypes: ['f64'],
    cases: () => unetCase(tiny3d, initial3d, [1, 2, 2, 2, 1]),
    differentiableIn: [0, 1, 2],
    elements: 24,
    step: 4e-4,
    lacks: ['scalar', 'empty', 'odd'],
    errors: [
      badShape(/^unet3d: takes frames \[N, T, H, W, 1\], got \[1,2,2,1\]$/, ['f32[1,2,2,1]', 'f32[1]'], (x, t) =>
        tiny3d.apply(initial3d(), { x: one(x), t: one(t) }),
      ),
      badShape(
        /^unet3d: images of 3×2 do not fit: height and width must be divisible by 2/,
        ['f32[1,2,3,2,1]', 'f32[1]'],
        (x, t) => tiny3d.apply(initial3d(), { x: one(x), t: one(t) }),
      ),
    ],
  }),
  unet2d: entry({
    dtypes: ['f64'],
    cases: () => unet2dCase,
    differentiableIn: [0, 1, 2],
    elements: 24,
    step: 4e-4,
    lacks: ['scalar', 'empty', 'odd'],
    errors: [
      badShape(/^unet2d: takes images \[N, H, W, 1\], got \[1,2,2,3\]$/, ['f32[1,2,2,3]', 'f32[1]'], applied2d),
      badShape(
        /^unet2d: images of 3×2 do not fit: height and width must be divisible by 2/,
        ['f32[1,3,2,1]', 'f32[1]'],
        applied2d,
      ),
      badRange(/^unet2d: groups must be .*: 3 groups do not divide 4$/, [], () =>
        unet2d({ widths: [4], layers: 1, groups: 3 }),
      ),
      badRange(/^unet2d: up must be a kind for each of the 1 widths, not 2$/, [], () =>
        unet2d({ widths: [4], layers: 1, groups: 1, up: ['plain', 'plain'] }),
      ),
    ],
  }),
  uvit: entry({
    dtypes: ['f64'],
    cases: () => transformerCase(tinyUvit),
    differentiableIn: [0, 1, 2],
    elements: 24,
    step: 4e-4,
    lacks: ['scalar', 'empty', 'odd'],
    errors: [
      badShape(/^uvit: takes images \[N, H, W, 1\], got \[1,2,2,3\]$/, ['f32[1,2,2,3]', 'f32[1]'], (x, t) =>
        applied(tinyUvit)({ x: one(x), t: one(t) }),
      ),
      badShape(
        /^uvit: images of 2×4 do not fit: the positions are learned for 2×2; without the setting size/,
        ['f32[1,2,4,1]', 'f32[1]'],
        (x, t) => applied(uvit({ ...tinyTransformer, size: [2, 2] }))({ x: one(x), t: one(t) }),
      ),
      badRange(/^uvit: depth must be odd, .*: 2 is not$/, [], () => uvit({ ...tinyTransformer, depth: 2 })),
    ],
  }),
  vit: entry({
    dtypes: ['f64'],
    cases: () => vitCase,
    differentiableIn: [0, 1],
    elements: 24,
    step: 4e-4,
    lacks: ['scalar', 'empty', 'odd'],
    errors: [
      badShape(/^vit: takes pictures \[N, 2, 1, 1\], got \[1,2,2,1\]$/, ['f32[1,2,2,1]'], (x) =>
        applied(tinyVit)(one(x)),
      ),
      badRange(/^vit: patches of 4×4 do not tile pictures of 8×6: choose a divisor of both sides$/, [], () =>
        vit({ size: [8, 6], patch: 4 }),
      ),
    ],
  }),
}
