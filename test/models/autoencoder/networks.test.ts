/** Convolutional and tiny autoencoders: gradients of every option, shortcuts at step 0, bounds, sizes, and what they refuse. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkGrad } from '../../../src/autograd/index.ts'
import { seas } from '../../../src/data/index.ts'
import {
  autoencoderKl,
  autoencoderTiny,
  posteriorMode,
  resizeChannels,
  samplePosterior,
  type Autoencoder,
  type KlConfig,
  type TinyParams,
} from '../../../src/models/index.ts'
import { activations } from '../../../src/models/activations.ts'
import { downShortcut, upShortcut } from '../../../src/models/autoencoder/shortcuts.ts'
import { conv2d, groupNorm } from '../../../src/nn/index.ts'
import { averagePool } from '../../../src/tensor/pooling.ts'
import { constant, full, tensor, zeros } from '../../../src/tensor/create.ts'
import { key, normal } from '../../../src/tensor/random.ts'
import { upsampleNearest } from '../../../src/tensor/resampling.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { countElements, leavesWithPaths, mapTree } from '../../../src/tensor/tree.ts'
import { cpuDevice, values } from '../../support/device.ts'
import { relativeError } from '../golden.ts'

const device = cpuDevice()

const paramsOf = <Enc, Dec>({ encoder, decoder }: Autoencoder<Enc, Dec>, seed = 0) => ({
  encoder: encoder.init(key(seed)),
  decoder: decoder.init(key(seed + 1)),
})

const pictures = (size: number, count: number): Tensor => {
  const source = seas({ seed: 3, size })
  const bytes = Array.from({ length: count }, (_, i) => Array.from(source.image(i))).flat()
  return tensor(
    Float32Array.from(bytes, (b) => b / 127.5 - 1),
    { shape: [count, size, size, 3] },
  )
}

const directions = 5

/** start + D·by for each parameter, so that a few numbers stand for all of them, in f64. */
const movable = <T>(params: T) => {
  const starts = new Map(
    leavesWithPaths(params).map(([path, p], k) => [
      path,
      {
        shape: p.shape,
        start: Float64Array.from({ length: p.size }, (_, j) => 0.25 * Math.cos(3 * k + 1.7 * j) + 0.05),
        along: Float64Array.from({ length: p.size * directions }, (_, j) => 0.1 * Math.sin(k + j * j)),
      },
    ]),
  )
  return (by: Tensor): T =>
    mapTree<T, T>(params, (p, path) => {
      const { shape, start, along } = starts.get(path) ?? { shape: p.shape, start: [], along: [] }
      const shift = constant(Float64Array.from(along), { shape: [p.size, directions] }).matmul(
        by.reshape([directions, 1]),
      )
      return constant(Float64Array.from(start), { shape: [...shape] }).add(shift.reshape(p.shape))
    })
}

const base: KlConfig = { channels: 1, latentChannels: 2, widths: [4, 6], layers: 1, groups: 2 }

const options: readonly (readonly [string, KlConfig])[] = [
  ['no option', base],
  [
    'attention everywhere',
    { ...base, attention: true, encoderAttention: [true, false], decoderAttention: [false, true] },
  ],
  ['quantizing convolutions', { ...base, quantConv: true, postQuantConv: true }],
  ['shortcuts', { ...base, shortcuts: 'pixel-unshuffle' }],
  ['no norm', { ...base, norm: 'none' }],
  ['a soft bound', { ...base, softBound: true }],
  ['gelu', { ...base, activation: 'gelu' }],
  ['mish', { ...base, activation: 'mish' }],
]

describe('mish', () => {
  it('is x·tanh(log(1 + eˣ))', async () => {
    const points = [-3, -1, -0.1, 0.5, 2, 4]
    const ours = await values(activations.mish(constant(points, { dtype: 'f64' })), device)
    for (const [i, x] of points.entries()) expect(ours[i]).toBeCloseTo(x * Math.tanh(Math.log(1 + Math.exp(x))), 12)
  })
})

describe('autoencoderKl', { timeout: 120_000 }, () => {
  it.each(options)('has the gradients of its pictures and of its parameters, with %s', async (_, config) => {
    const model = autoencoderKl(config)
    const moved = movable(paramsOf(model))
    const noise = constant(
      Float64Array.from({ length: 8 }, (_, i) => Math.sin(3 * i)),
      { shape: [1, 2, 2, 2] },
    )
    const f = (by: Tensor, x: Tensor) => {
      const params = moved(by)
      const posterior = model.encoder.apply(params.encoder, x)
      return [model.decoder.apply(params.decoder, samplePosterior(posterior, noise)), posterior]
    }
    const at = [constant(new Float64Array(directions)), normal(key(4), [1, 4, 4, 1], 'f64')] as const
    await checkGrad(device, f, await device.realize([...at]), { absolute: 1e-7, relative: 1e-6 })
  })

  it('tells what fits when pictures or latents do not', () => {
    const { encoder, decoder } = autoencoderKl({ ...base, widths: [4, 4, 4] })
    const encode = (...shape: readonly number[]) => encoder.apply(encoder.init(key(0)), zeros(shape))
    expect(() => encode(1, 8, 10, 1)).toThrow('pictures of 8×10 do not fit: height and width must be divisible by 4')
    expect(() => encode(1, 8, 8, 3)).toThrow('takes pictures [N, H, W, 1], got [1,8,8,3]')
    expect(() => decoder.apply(decoder.init(key(0)), zeros([1, 2, 2, 4]))).toThrow('takes latents [N, H, W, 2]')
  })

  it('refuses settings that do not fit together', () => {
    expect(() => autoencoderKl({ ...base, groups: 4 })).toThrow('6 is not divisible by groups 4')
    expect(() => autoencoderKl({ ...base, encoderAttention: [true] })).toThrow('encoderAttention has: 1 for 2 widths')
  })

  it('bounds means softly where it is asked to: near themselves when small, within ±3 when large', async () => {
    const [plain, bounded] = [autoencoderKl(base), autoencoderKl({ ...base, softBound: true })]
    const params = paramsOf(plain)
    const head = { ...params.encoder.head, bias: tensor([100, 0.01, 0, 0]), weight: params.encoder.head.weight.mul(0) }
    const { mean } = bounded.encoder.apply({ ...params.encoder, head }, zeros([1, 2, 2, 1]))
    const [large, small] = await values(mean, device)
    expect(large).toBeCloseTo(3, 5)
    expect(small).toBeCloseTo(0.01, 6)
  })

  it('reconstructs in as many channels as it is told to', () => {
    const model = autoencoderKl({ ...base, channels: 4, outChannels: 3 })
    const params = paramsOf(model)
    const { mean } = model.encoder.apply(params.encoder, zeros([2, 4, 6, 4]))
    expect([mean.shape, model.decoder.apply(params.decoder, mean).shape]).toEqual([
      [2, 2, 3, 2],
      [2, 4, 6, 3],
    ])
  })
})

const short: KlConfig = {
  channels: 3,
  latentChannels: 4,
  widths: [12, 24, 24],
  layers: 1,
  groups: 4,
  attention: true,
  shortcuts: 'pixel-unshuffle',
}

const reconstruct = (config: KlConfig, x: Tensor): Tensor => {
  const model = autoencoderKl(config)
  const params = paramsOf(model)
  return model.decoder.apply(params.decoder, posteriorMode(model.encoder.apply(params.encoder, x)))
}

const errorOf = async (x: Tensor, y: Tensor): Promise<number> =>
  (await values(x.sub(y).square().mean(), device))[0] ?? NaN

describe('shortcuts without parameters', { timeout: 60_000 }, () => {
  it('repeat channels and average them again to what they were', async () => {
    const sizes = fc.integer({ min: 1, max: 12 })
    await fc.assert(
      fc.asyncProperty(sizes, sizes, async (channels, more) => {
        const x = normal(key(channels), [2, channels], 'f64')
        const there = resizeChannels(x, channels + more)
        expect(there.shape).toEqual([2, channels + more])
        expect(
          relativeError(await values(resizeChannels(there, channels), device), await values(x, device)),
        ).toBeLessThan(1e-12)
      }),
      { numRuns: 60 },
    )
  })

  it('halve a picture to its means over squares, and double it to repetitions', async () => {
    const x = normal(key(1), [1, 4, 6, 2])
    const near = async (a: Tensor, b: Tensor) =>
      expect(relativeError(await values(a, device), await values(b, device))).toBeLessThan(1e-6)
    await near(downShortcut(x, 2), averagePool(x, 2))
    await near(upShortcut(x, 2), upsampleNearest(x, 2))
    await near(downShortcut(upShortcut(x, 2), 2), x)
  })

  it('make the whole network a linear one at step 0', async () => {
    const [x, y] = [pictures(16, 1), normal(key(2), [1, 16, 16, 3])]
    const combined = reconstruct(short, x.mul(2).sub(y.mul(3)))
    const apart = reconstruct(short, x).mul(2).sub(reconstruct(short, y).mul(3))
    expect(relativeError(await values(combined, device), await values(apart, device))).toBeLessThan(1e-5)
  })

  it('let a picture through at step 0, where a network without them gives noise', async () => {
    const x = pictures(16, 4)
    const grey = await errorOf(x, x.mean([1, 2], true).broadcastTo(x.shape))
    const [withShortcuts, without] = [
      await errorOf(x, reconstruct(short, x)),
      await errorOf(x, reconstruct({ ...short, shortcuts: 'none' }, x)),
    ]
    expect(withShortcuts).toBeLessThan(0.5 * grey) // half of what remains when every picture is one colour
    expect(without).toBeGreaterThan(grey)
  })

  it('begin with a small variance, so that a sample is near its mean', async () => {
    const model = autoencoderKl(short)
    const { logVariance } = model.encoder.apply(paramsOf(model).encoder, pictures(16, 1))
    expect(new Set(await values(logVariance ?? zeros([1]), device))).toEqual(new Set([-6]))
  })

  it('add no parameters, and take those of the projections between widths away', () => {
    // one in the encoder, from 12 to 24 channels, and one in the decoder, back
    const [plain, shortcut] = [autoencoderKl({ ...short, shortcuts: 'none' }), autoencoderKl(short)].map((model) =>
      countElements(paramsOf(model)),
    )
    expect((plain ?? 0) - (shortcut ?? 0)).toBe(12 * 24 + 24 + (24 * 12 + 12))
  })
})

/** One half of TAESD by its author's rules, in the order of its layers, written out. */
const tinyByHand = (p: TinyParams, side: 'encoder' | 'decoder', x: Tensor): Tensor => {
  const { relu } = activations
  const conv = (at: { weight: Tensor; bias?: Tensor }, y: Tensor, stride = 1): Tensor => {
    const [i = 0, o = 0] = [at.weight.shape[2], at.weight.shape[3]]
    return conv2d(i, o, 3, { padding: 1, stride, bias: at.bias !== undefined }).apply(at, y)
  }
  const block = (b: TinyParams['stages'][number]['blocks'][number], y: Tensor): Tensor => {
    const pooled =
      b.pool === undefined
        ? y
        : y.add(
            relu(groupNorm(4, 4 * (y.shape[3] ?? 0)).apply(b.pool.norm, y.matmul(b.pool.expand.weight))).matmul(
              b.pool.reduce.weight,
            ),
          )
    return relu(conv(b.conv3, relu(conv(b.conv2, relu(conv(b.conv1, pooled))))).add(pooled))
  }
  const isEncoder = side === 'encoder'
  let y = isEncoder
    ? conv(p.stem, x.mul(0.5).add(0.5))
    : relu(
        conv(
          p.stem,
          x
            .mul(1 / 3)
            .tanh()
            .mul(3),
        ),
      )
  for (const { blocks, resize } of p.stages) {
    if (isEncoder && resize !== undefined) y = conv(resize, y, 2)
    for (const b of blocks) y = block(b, y)
    if (!isEncoder && resize !== undefined) y = conv(resize, upsampleNearest(y, 2))
  }
  return isEncoder ? conv(p.head, y) : conv(p.head, y).mul(2).sub(1)
}

describe('autoencoderTiny', { timeout: 60_000 }, () => {
  it.each([false, true])('is what its author’s layers give, in order; with pools: %s', async (midBlockPool) => {
    const config = {
      channels: 3,
      latentChannels: 2,
      width: 8,
      encoderBlocks: [1, 2],
      decoderBlocks: [2, 1],
      midBlockPool,
    }
    const model = autoencoderTiny(config)
    const params = paramsOf(model)
    const [x, z] = [normal(key(5), [2, 6, 4, 3]), normal(key(6), [2, 3, 2, 2]).mul(2)]
    const near = async (a: Tensor, b: Tensor) =>
      expect(relativeError(await values(a, device), await values(b, device))).toBeLessThan(1e-5)
    await near(model.encoder.apply(params.encoder, x).mean, tinyByHand(params.encoder, 'encoder', x))
    await near(model.decoder.apply(params.decoder, z), tinyByHand(params.decoder, 'decoder', z))
  })

  it('has a posterior without a variance, and bounds latents before it decodes them', async () => {
    const model = autoencoderTiny({
      channels: 3,
      latentChannels: 2,
      width: 8,
      encoderBlocks: [1, 1],
      decoderBlocks: [1, 1],
    })
    const params = paramsOf(model)
    expect(model.encoder.apply(params.encoder, zeros([1, 4, 4, 3])).logVariance).toBeUndefined()
    const [far, farther] = [100, 200].map((v) => model.decoder.apply(params.decoder, full([1, 2, 2, 2], v)))
    expect(await values(far ?? zeros([1]), device)).toEqual(await values(farther ?? zeros([1]), device))
  })

  it('refuses pictures, latents and stages that do not fit', () => {
    const config = { channels: 3, latentChannels: 2, width: 8, encoderBlocks: [1, 1], decoderBlocks: [1, 1] }
    const { encoder, decoder } = autoencoderTiny(config)
    expect(() => encoder.apply(encoder.init(key(0)), zeros([1, 3, 4, 3]))).toThrow('must be divisible by 2')
    expect(() => decoder.apply(decoder.init(key(0)), zeros([1, 3, 4, 3]))).toThrow('takes latents [N, H, W, 2]')
    expect(() => autoencoderTiny({ ...config, decoderBlocks: [1] })).toThrow(
      'encoderBlocks, which has 2: decoderBlocks has 1',
    )
  })
})
