/** What layers and losses compute, against PyTorch's own (golden/layers.py). */
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { range } from '../../src/prelude/array.ts'
import {
  binaryCrossEntropy,
  conv2d,
  convTranspose2d,
  crossEntropy,
  embedding,
  groupNorm,
  huber,
  l1,
  layerNorm,
  linear,
  mse,
  normalizeVectors,
  rmsNorm,
  sinusoidalTimeEmbedding,
} from '../../src/nn/index.ts'
import { downsample, upsample } from '../../src/models/index.ts'
import { pixelUnshuffle } from '../../src/tensor/resampling.ts'
import { eye, tensor, zeros } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../support/device.ts'

const golden = JSON.parse(await readFile(new URL('golden/layers.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, { readonly shape: readonly number[]; readonly values: readonly number[] }>
>

/** sin(start), sin(start + 1), … in f64. */
const wave = (shape: readonly number[], start = 1): Tensor => {
  const count = shape.reduce((a, b) => a * b, 1)
  return tensor(
    Float64Array.from(range(count), (i) => Math.sin(start + i)),
    { shape },
  )
}

const expectGolden = async (name: string, result: Tensor): Promise<void> => {
  const expected = golden[name]
  expect(result.shape).toEqual(expected?.shape)
  const actual = await values(result)
  actual.forEach((x, i) => expect(x).toBeCloseTo(expected?.values[i] ?? NaN, 8))
}

const nhwc = (x: Tensor): Tensor => x.transpose([0, 2, 3, 1])
const hwio = (w: Tensor): Tensor => w.transpose([2, 3, 1, 0])

const x = nhwc(wave([2, 4, 5, 6]))
const v = wave([3, 4])
const z = wave([3, 4], 20).mul(3)
const labels = tensor(Int32Array.of(0, 3, 1))

describe('layers against PyTorch', () => {
  it('linear: x·W + b', async () => {
    await expectGolden('linear', linear(4, 5).apply({ weight: wave([5, 4], 50).transpose(), bias: wave([5], 80) }, v))
  })

  it('conv2d: stride, padding, dilation and groups mean what they mean in PyTorch', async () => {
    const layer = conv2d(4, 6, [3, 2], { stride: [2, 1], padding: [1, 2], dilation: [1, 2], groups: 2 })
    await expectGolden('conv2d', layer.apply({ weight: hwio(wave([6, 2, 3, 2], 300)), bias: wave([6], 900) }, x))
  })

  it('convTranspose2d: stride, padding and output padding mean what they mean in PyTorch', async () => {
    const layer = convTranspose2d(4, 3, [3, 2], { stride: 2, padding: 1, outputPadding: [1, 0] })
    await expectGolden(
      'convTranspose2d',
      layer.apply({ weight: wave([4, 3, 3, 2], 400).transpose([2, 3, 0, 1]), bias: wave([3], 70) }, x),
    )
  })

  it('groupNorm: each group of channels with its pixels', async () => {
    await expectGolden('groupNorm', groupNorm(2, 4).apply({ weight: wave([4], 30), bias: wave([4], 40) }, x))
  })

  it('layerNorm: the last axis', async () => {
    await expectGolden('layerNorm', layerNorm(4).apply({ weight: wave([4], 30), bias: wave([4], 40) }, v))
  })

  it('downsample: the channels are in the order of pixel_unshuffle', async () => {
    const image = nhwc(wave([1, 3, 4, 2]))
    await expectGolden('pixelUnshuffle', pixelUnshuffle(image, 2))
    const kept = downsample(3, 12).apply({ project: { weight: eye(12, 'f64'), bias: zeros([12], 'f64') } }, image)
    await expectGolden('pixelUnshuffle', kept)
  })

  it.each([
    ['mse', mse(v, z)],
    ['l1', l1(v, z, { reduction: 'sum' })],
    ['huber', huber(v, z, { delta: 0.7 })],
    ['crossEntropy', crossEntropy(z, labels)],
    ['crossEntropyNone', crossEntropy(z, labels, { reduction: 'none' })],
    ['binaryCrossEntropy', binaryCrossEntropy(z, v.abs())],
  ] as const)('%s: the value and the reduction', async (name, loss) => {
    await expectGolden(name, loss)
  })
})

describe('layers by hand', () => {
  it('rmsNorm: [3, 4] of norm 5 becomes [0.6, 0.8]·√2, and a zero vector stays zero', async () => {
    const y = await values(
      rmsNorm(2).apply(
        { gain: tensor([1, 2]) },
        tensor([
          [3, 4],
          [0, 0],
        ]),
      ),
    )
    ;[0.6 * Math.SQRT2, 1.6 * Math.SQRT2, 0, 0].forEach((expected, i) => expect(y[i]).toBeCloseTo(expected, 6))
  })

  it('normalizeVectors: a vector shorter than 1e-12 is divided by 1e-12', async () => {
    expect((await values(normalizeVectors(tensor([[1e-13, 0]]))))[0]).toBeCloseTo(0.1, 5)
  })

  it('embedding: rows of the table', async () => {
    expect(
      await values(
        embedding(3, 2).apply(
          {
            weight: tensor([
              [1, 2],
              [3, 4],
              [5, 6],
            ]),
          },
          tensor(Int32Array.of(2, 0)),
        ),
      ),
    ).toEqual([5, 6, 1, 2])
  })

  it('sinusoidalTimeEmbedding: sines then cosines, from frequency 1 to 1/10,000; whole times give f32', async () => {
    const y = sinusoidalTimeEmbedding(4).apply({}, tensor(Int32Array.of(0, 500)))
    expect([y.dtype, y.shape]).toEqual(['f32', [2, 4]])
    const expected = [0, 0, 1, 1, Math.sin(500), Math.sin(0.05), Math.cos(500), Math.cos(0.05)]
    ;(await values(y)).forEach((value, i) => expect(value).toBeCloseTo(expected[i] ?? NaN, 5))
  })

  it('sinusoidalTimeEmbedding: an odd width is refused', () => {
    expect(() => sinusoidalTimeEmbedding(5)).toThrow('must be even')
  })

  it('upsample: each pixel becomes four before the convolution', async () => {
    const centre = tensor([0, 0, 0, 0, 1, 0, 0, 0, 0], { shape: [3, 3, 1, 1] })
    const y = upsample(1, 1).apply(
      { conv: { weight: centre, bias: zeros([1]) } },
      tensor([1, 2], { shape: [1, 1, 2, 1] }),
    )
    expect(y.shape).toEqual([1, 2, 4, 1])
    expect(await values(y)).toEqual([1, 1, 2, 2, 1, 1, 2, 2])
  })

  it('groups that do not divide the channels are refused, by name', () => {
    expect(() => groupNorm(3, 4)).toThrow('groupNorm: 3 groups do not divide 4 channels')
    expect(() => conv2d(4, 6, 3, { groups: 4 })).toThrow('4 groups do not divide 4 input and 6 output channels')
  })

  it('binaryCrossEntropy: large logits do not overflow', async () => {
    expect(
      await values(binaryCrossEntropy(tensor([200, -200]), tensor([0, 1]), { reduction: 'none' }), cpuDevice()),
    ).toEqual([200, 200])
  })
})
