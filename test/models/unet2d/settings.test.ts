/** The U-Net of diffusers: numbers of parameters, configurations, laws of its blocks, and what is refused. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { grad } from '../../../src/autograd/index.ts'
import {
  decodeDiffusersUnet2d,
  unet2d,
  unet2dFamily,
  unet2dNames,
  type Unet2dOptions,
} from '../../../src/models/index.ts'
import {
  decodeModel,
  factorOf,
  featuresOf,
  leastWeightsOf,
  modelOf,
  sourcesOf,
  timesOf,
  widthOf,
} from '../../../src/models/registry.ts'
import { residualBlock } from '../../../src/models/unet2d/blocks.ts'
import { firDownsample, firUpsample } from '../../../src/models/unet2d/fir.ts'
import { fourierTimeEmbedding } from '../../../src/models/unet2d/time.ts'
import { E } from '../../../src/prelude/fp.ts'
import { ones, tensor, zeros, zerosLike } from '../../../src/tensor/create.ts'
import { placesOf } from '../../../src/tensor/nameMap.ts'
import { key, normal } from '../../../src/tensor/random.ts'
import { countElements, mapTree } from '../../../src/tensor/tree.ts'
import { cpuDevice, values } from '../../support/device.ts'
import { right } from '../golden.ts'

const plain = (n: number, ...attentive: readonly number[]): readonly string[] =>
  Array.from({ length: n }, (_, i) => (attentive.includes(i) ? 'AttnDownBlock2D' : 'DownBlock2D'))

const upOf = (down: readonly string[]): readonly string[] => down.toReversed().map((name) => name.replace('Down', 'Up'))

const cifar10 = {
  block_out_channels: [128, 256, 256, 256],
  down_block_types: plain(4, 1),
  up_block_types: upOf(plain(4, 1)),
  downsample_padding: 0,
  flip_sin_to_cos: false,
  freq_shift: 1,
  norm_eps: 1e-6,
  attention_head_dim: null,
}

describe('the number of parameters, by shapes alone,', () => {
  const countOf = (json: object): number =>
    countElements(unet2d(right(decodeDiffusersUnet2d({ _class_name: 'UNet2DModel', ...json })).settings).init(key(0)))

  it('is 35,746,307 for CIFAR-10 (Ho et al. 2020)', () => expect(countOf(cifar10)).toBe(35_746_307))

  it('is 113,673,219 for pictures of 256×256, and for the network of train_unconditional.py', () =>
    expect(
      countOf({
        block_out_channels: [128, 128, 256, 256, 512, 512],
        down_block_types: plain(6, 4),
        up_block_types: upOf(plain(6, 4)),
      }),
    ).toBe(113_673_219))

  it('is 274,056,163 for the defaults of the class', () => expect(countOf({})).toBe(274_056_163))
})

describe('a configuration of diffusers', () => {
  it('becomes settings of ours', () => {
    expect(right(decodeDiffusersUnet2d({ ...cifar10, sample_size: 32, frames: 2 }))).toEqual({
      ignored: ['frames'],
      channels: 3,
      outChannels: 3,
      settings: {
        widths: [128, 256, 256, 256],
        layers: 2,
        down: ['plain', 'attention', 'plain', 'plain'],
        up: ['plain', 'plain', 'attention', 'plain'],
        attention: true,
        groups: 32,
        epsilon: 1e-6,
        activation: 'silu',
        downPadding: 0,
        scaleShift: false,
        middleScale: 1,
        time: 'positional',
        frequencyShift: 1,
        cosinesFirst: false,
        centre: false,
        conditions: 0,
        dropout: 0,
      },
    })
  })

  it('of before 2023 has a prefix before its blocks', () => {
    const old = { ...cifar10, down_block_types: cifar10.down_block_types.map((name) => `UNetRes${name}`) }
    expect(decodeDiffusersUnet2d(old)).toEqual(decodeDiffusersUnet2d(cifar10))
  })

  it('tells an absent setting, which is a default, from null', () => {
    const { settings: absent } = right(decodeDiffusersUnet2d({}))
    expect([absent.headWidth, absent.groups]).toEqual([8, 32])
    const { settings: none } = right(decodeDiffusersUnet2d({ ...cifar10, norm_num_groups: null }))
    expect([none.headWidth, none.groups]).toEqual([undefined, 'quarter'])
  })

  it.each<readonly [object, string, RegExp]>([
    [
      { down_block_types: ['KDownBlock2D'] },
      'down_block_types',
      /DownBlock2D, AttnDownBlock2D, Resnet.*not built here/,
    ],
    [{ up_block_types: ['CrossAttnUpBlock2D'] }, 'up_block_types', /AttnSkipUpBlock2D: .*not built here/],
    [{ mid_block_type: null, down_block_types: [] }, 'down_block_types', /a list of/],
    [{ mid_block_type: 'UnCLIPUNetMidBlock2D' }, 'mid_block_type', /UNetMidBlock2D: no other/],
    [{ time_embedding_type: 'adm' }, 'time_embedding_type', /one of positional, fourier, learned/],
    [{ attention_legacy_order: true }, 'attention_legacy_order', /false: heads/],
    [{ downsample_padding: 2 }, 'downsample_padding', /from 0 to 1/],
    [{ block_out_channels: [32, 64] }, 'down_block_types', /a kind for each of the 2 widths, not 4/],
    [{ norm_num_groups: 5 }, 'norm_num_groups', /5 groups do not divide 896/],
    [{ attn_norm_num_groups: 5 }, 'attn_norm_num_groups', /5 groups do not divide 896/],
    [{ attention_head_dim: 5 }, 'attention_head_dim', /a divisor of the widths with attention, as of 448/],
    [{ time_embedding_type: 'learned' }, 'num_train_timesteps', /there where time is learned/],
    [
      { down_block_types: ['DownBlock2D', 'SkipDownBlock2D', 'DownBlock2D', 'DownBlock2D'] },
      'down_block_types',
      /those with skip come first/,
    ],
    [
      { up_block_types: ['SkipUpBlock2D', 'UpBlock2D', 'UpBlock2D', 'UpBlock2D'] },
      'up_block_types',
      /those with skip come last/,
    ],
  ])('%j is one clear error', (json, path, words) => {
    const decoded = decodeDiffusersUnet2d(json)
    expect(decoded).toEqual(
      E.left(
        expect.objectContaining({ expected: expect.stringMatching(words), inside: expect.objectContaining({ path }) }),
      ),
    )
  })
})

describe('the family unet2d', () => {
  const model = { kind: 'unet2d', widths: [8, 16], layers: 1, groups: 4, headWidth: 8 } as const

  it('decodes its settings with their kind, and its defaults', () => {
    expect(decodeModel(model)).toEqual(E.right(model))
    expect(unet2dFamily.decode(unet2dFamily.defaults)).toEqual(E.right(unet2dFamily.defaults))
  })

  it('knows sizes, and never counts more weights than there are', () => {
    expect([factorOf(model), widthOf(model), timesOf(model)]).toEqual([2, 8, Infinity])
    expect(timesOf({ ...model, time: 'learned' as const, times: 20 })).toBe(20)
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(4, 8, 12), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 3 }),
        (widths, layers) => {
          const config = { ...model, widths, layers, headWidth: 4 }
          expect(leastWeightsOf(config)).toBeLessThanOrEqual(countElements(modelOf(config, 3).init(key(0))))
        },
      ),
      { numRuns: 20 },
    )
  })

  it('sees what images show in its middle and its first stage on the way up, with the same parameters', () => {
    const [network, layers] = [modelOf(model, 3), featuresOf(model, 3)]
    const params = network.init(key(0))
    const seen = layers.apply(params, { x: zeros([2, 8, 8, 3]), t: zeros([2]) })
    expect(seen.map(({ shape }) => shape)).toEqual([
      [2, 4, 4, 16],
      [2, 8, 8, 16],
    ])
    expect(countElements(layers.init(key(0)))).toBe(countElements(params))
  })

  it('takes the weights of fathom and of diffusers', () => expect(sourcesOf(model)).toEqual(['fathom', 'diffusers']))

  it.each<readonly [object, string, RegExp]>([
    [{ time: 'fourier' }, 'time', /positional or learned: fourier is told deviations of noise/],
    [{ time: 'sines' }, 'time', /one of positional, learned/],
    [{ groups: 'half' }, 'groups', /or quarter/],
    [{ groups: 3 }, 'groups', /3 groups do not divide 16/],
    [{ down: ['plain', 'cross'] }, 'down', /a list of plain, attention, residual/],
    [{ down: ['plain'] }, 'down', /a kind for each of the 2 widths, not 1/],
    [{ downPadding: 2 }, 'downPadding', /0 or 1/],
    [{ widths: [7, 8], groups: 1 }, 'widths', /an even number first/],
    [{ conditions: 3, conditioning: 'time' }, 'conditions', /1 where conditioning is time/],
    [{ conditions: 3, conditioning: 'vector' }, 'conditions', /32 where conditioning is vector/],
    [{ dropout: 1 }, 'dropout', /from 0 to below 1/],
    [{ times: 10 }, 'times', /only there/],
  ])('refuses %j', (changes, path, words) => {
    expect(decodeModel({ ...model, ...changes })).toEqual(
      E.left(
        expect.objectContaining({ expected: expect.stringMatching(words), inside: expect.objectContaining({ path }) }),
      ),
    )
  })
})

describe('unet2d', { timeout: 60_000 }, () => {
  const options: Unet2dOptions = { widths: [8, 16], layers: 1, groups: 4, conditions: 2 }
  const input = { x: normal(key(1), [2, 4, 4, 3]), t: tensor(Int32Array.of(0, 999)) }

  it('is told nothing by zeros and by no condition, and something by another', async () => {
    const model = unet2d(options)
    const params = model.init(key(0))
    const told = (condition?: readonly (readonly number[])[]) =>
      values(model.apply(params, { ...input, condition: condition && tensor(condition.map((v) => [...v])) }))
    const nothing = await told()
    expect(
      await told([
        [0, 0],
        [0, 0],
      ]),
    ).toEqual(nothing)
    expect(
      await told([
        [1, 0],
        [0, 1],
      ]),
    ).not.toEqual(nothing)
  })

  it('refuses a condition that it was not made for, an estimate, and sizes that do not fit', () => {
    const { init, apply } = unet2d({ ...options, conditions: 0 })
    const params = init(key(0))
    expect(() => apply(params, { ...input, condition: zeros([2, 2]) })).toThrow(/^unet2d: a condition .* conditions: 2/)
    expect(() => apply(params, { ...input, estimate: input.x })).toThrow(
      'unet2d: an estimate of the images is given to a network without a place for it: leave it out',
    )
    expect(() => apply(params, { x: zeros([1, 3, 4, 3]), t: zeros([1]) })).toThrow(/^unet2d: images of 3×4 do not fit/)
    expect(() => unet2d({ ...options, up: ['plain'] })).toThrow(/^unet2d: up must be a kind for each of the 2 widths/)
  })

  it('draws its dropout from the key in training alone', async () => {
    const model = unet2d({ ...options, dropout: 0.5 })
    const params = model.init(key(0))
    const trained = (seed: number) => values(model.apply(params, input, { train: true, key: key(seed) }))
    const sure = await values(unet2d(options).apply(params, input))
    expect(await values(model.apply(params, input))).toEqual(sure)
    expect(await trained(1)).not.toEqual(sure)
    expect(await trained(1)).toEqual(await trained(1))
    expect(await trained(1)).not.toEqual(await trained(2))
  })

  it('has the same values and gradients when blocks are computed again for the backward pass', async () => {
    const slopeOf = (checkpoint: boolean) => {
      const model = unet2d({ ...options, down: ['residual', 'attention'], checkpoint })
      return grad((p: ReturnType<typeof model.init>) => model.apply(p, input).square().sum())(model.init(key(0)))
    }
    const device = cpuDevice()
    const [kept, again] = [await device.realize(slopeOf(false)), await device.realize(slopeOf(true))]
    for (const pick of [(p: typeof kept) => p.stem.weight, (p: typeof kept) => p.middle.block1.conv1.weight])
      expect(await device.read(pick(again))).toEqual(await device.read(pick(kept)))
  })

  it('gives no gradient to the frequencies of fourier times', async () => {
    const layer = fourierTimeEmbedding(3)
    const slope = grad((p: ReturnType<typeof layer.init>) => layer.apply(p, tensor([0.5])).sum())(layer.init(key(0)))
    expect(await values(slope.weight)).toEqual([0, 0, 0])
  })

  it('names every parameter once, in every kind of stage', () => {
    const stages = ['plain', 'attention', 'residual', 'residual-attention'] as const
    const names = (settings: Unet2dOptions) => {
      const params = unet2d(settings).init(key(0))
      return placesOf(params, unet2dNames(params)).map(({ name }) => name)
    }
    const wide = { widths: [32, 32, 32, 32], layers: 1 }
    const all = [
      ...names({ ...wide, down: stages }),
      ...names({ ...wide, down: ['skip', 'skip-attention', 'skip', 'plain'] }),
    ]
    expect(all.filter((name) => /[A-Z]|\.(time|blocks|resize|image|skip|norm|query|out)\./.test(name))).toEqual([])
  })
})

describe('a residual block', () => {
  const size = { inputs: 4, outputs: 4, groups: [2, 2] } as const
  const style = { activation: 'silu', epsilon: 1e-5, timeWidth: 6, scaleShift: false, dropout: 0 } as const
  const given = { x: normal(key(2), [1, 4, 4, 4]), time: normal(key(3), [1, 6]) }

  it.each([false, true])('whose last convolution is zero is its skip; scaleShift %s', async (scaleShift) => {
    for (const [scale, factor] of [
      [1, 1],
      [2, 0.5],
    ] as const) {
      const block = residualBlock(size, { ...style, scaleShift }, { scale })
      const params = block.init(key(0))
      const still = { ...params, conv2: mapTree(params.conv2, zerosLike) }
      expect(await values(block.apply(still, given))).toEqual(await values(given.x.mul(factor)))
    }
  })
})

describe('the filter [1, 3, 3, 1]', () => {
  it('keeps a constant inside, and halves and doubles the size', async () => {
    const one = ones([1, 8, 8, 1])
    expect(firDownsample(one).shape).toEqual([1, 4, 4, 1])
    expect((await values(firDownsample(one).slice([], [1, 3], [1, 3]))).every((v) => v === 1)).toBe(true)
    expect(firUpsample(one).shape).toEqual([1, 16, 16, 1])
    expect((await values(firUpsample(one).slice([], [1, 15], [1, 15]))).every((v) => v === 1)).toBe(true)
  })

  it('makes halving and doubling adjoint, up to a factor of 4', async () => {
    const [x, y] = [normal(key(4), [1, 8, 8, 2]), normal(key(5), [1, 4, 4, 2])]
    const [a = NaN] = await values(firDownsample(x).mul(y).sum())
    const [b = NaN] = await values(firUpsample(y).mul(x).sum())
    expect(4 * a).toBeCloseTo(b, 4)
  })
})
