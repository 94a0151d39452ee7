/** The number and the names of parameters: Stable Diffusion's autoencoder, TAESD and taef2, from shapes alone. */
import { describe, expect, it } from 'vitest'
import { autoencoderKl, autoencoderTiny, klFamily, tinyFamily, type TinyParams } from '../../../src/models/index.ts'
import { product, range } from '../../../src/prelude/array.ts'
import { key } from '../../../src/tensor/random.ts'
import { misfitsOf, placesOf } from '../../../src/tensor/nameMap.ts'
import { countElements } from '../../../src/tensor/tree.ts'
import { right } from '../golden.ts'

type Shapes = ReadonlyMap<string, readonly number[]>

const elements = (shapes: Shapes): number => [...shapes.values()].reduce((sum, shape) => sum + product(shape), 0)

/** A layer's weight and bias. */
const layer = (name: string, ...shape: readonly number[]): readonly (readonly [string, readonly number[]])[] => [
  [`${name}.weight`, shape],
  [`${name}.bias`, shape.slice(0, 1)],
]

const residual = (name: string, inputs: number, outputs: number) => [
  ...layer(`${name}.norm1`, inputs),
  ...layer(`${name}.conv1`, outputs, inputs, 3, 3),
  ...layer(`${name}.norm2`, outputs),
  ...layer(`${name}.conv2`, outputs, outputs, 3, 3),
  ...(inputs === outputs ? [] : layer(`${name}.conv_shortcut`, outputs, inputs, 1, 1)),
]

const middle = (name: string, width: number, names: readonly string[]) => [
  ...residual(`${name}.resnets.0`, width, width),
  ...layer(`${name}.attentions.0.group_norm`, width),
  ...names.flatMap((inside) => layer(`${name}.attentions.0.${inside}`, width, width)),
  ...residual(`${name}.resnets.1`, width, width),
]

/** The folder of Stable Diffusion's autoencoder, key by key, as diffusers lists it. */
const stableDiffusion = (attention: readonly string[]): Shapes => {
  const widths = [128, 256, 512, 512]
  const wide = (i: number): number => widths[i] ?? NaN
  const down = widths.flatMap((width, i) => [
    ...residual(`encoder.down_blocks.${i}.resnets.0`, i === 0 ? width : wide(i - 1), width),
    ...residual(`encoder.down_blocks.${i}.resnets.1`, width, width),
    ...(i < 3 ? layer(`encoder.down_blocks.${i}.downsamplers.0.conv`, width, width, 3, 3) : []),
  ])
  const up = [512, 512, 256, 128].flatMap((width, i) => [
    ...residual(`decoder.up_blocks.${i}.resnets.0`, i === 0 ? width : wide(4 - i), width),
    ...residual(`decoder.up_blocks.${i}.resnets.1`, width, width),
    ...residual(`decoder.up_blocks.${i}.resnets.2`, width, width),
    ...(i < 3 ? layer(`decoder.up_blocks.${i}.upsamplers.0.conv`, width, width, 3, 3) : []),
  ])
  return new Map([
    ...layer('encoder.conv_in', 128, 3, 3, 3),
    ...down,
    ...middle('encoder.mid_block', 512, attention),
    ...layer('encoder.conv_norm_out', 512),
    ...layer('encoder.conv_out', 8, 512, 3, 3),
    ...layer('quant_conv', 8, 8, 1, 1),
    ...layer('post_quant_conv', 4, 4, 1, 1),
    ...layer('decoder.conv_in', 512, 4, 3, 3),
    ...middle('decoder.mid_block', 512, attention),
    ...up,
    ...layer('decoder.conv_norm_out', 128),
    ...layer('decoder.conv_out', 3, 128, 3, 3),
  ])
}

const config = {
  _class_name: 'AutoencoderKL',
  block_out_channels: [128, 256, 512, 512],
  layers_per_block: 2,
  down_block_types: range(4).map(() => 'DownEncoderBlock2D'),
  up_block_types: range(4).map(() => 'UpDecoderBlock2D'),
}

describe("Stable Diffusion's autoencoder", () => {
  const { encoder, decoder, factor } = autoencoderKl(right(klFamily.decodeDiffusersConfig(config)).config)
  const params = { encoder: encoder.init(key(0)), decoder: decoder.init(key(0)) } // nothing is computed

  it('has 83,653,863 parameters: 34,163,592 in the encoder, 49,490,179 in the decoder, and 92 between', () => {
    expect(factor).toBe(8)
    const { quant, ...ofEncoder } = params.encoder
    const { postQuant, ...ofDecoder } = params.decoder
    expect([countElements(ofEncoder), countElements(ofDecoder)]).toEqual([34_163_592, 49_490_179])
    expect(countElements({ quant, postQuant })).toBe(92)
    expect(countElements(params)).toBe(83_653_863)
  })

  it.each([
    ['new', ['to_q', 'to_k', 'to_v', 'to_out.0']],
    ['old', ['query', 'key', 'value', 'proj_attn']],
  ])('takes a folder of its size key for key, with the %s names of attention', (_, attention) => {
    const found = stableDiffusion(attention)
    expect(elements(found)).toBe(83_653_863)
    expect(misfitsOf(placesOf(params, klFamily.names['diffusers']?.(params, found)), found)).toEqual([])
  })

  it('names what a folder lacks', () => {
    const found = new Map(stableDiffusion(['to_q', 'to_k', 'to_v', 'to_out.0']))
    found.delete('quant_conv.bias')
    const misfits = misfitsOf(placesOf(params, klFamily.names['diffusers']?.(params, found)), found)
    expect(misfits.map(({ message }) => message)).toEqual(["'quant_conv.bias' [8] is missing"])
  })
})

/** The layers of one half of TAESD, as its author numbers them: 0 is a clamp in the decoder. */
const tinyHalf = (side: 'encoder' | 'decoder', latents: number, pool: boolean): Shapes => {
  let n = 0
  const next = (): string => `${side}.${n++}`
  const conv = (i: number, o: number) => layer(next(), o, i, 3, 3)
  const change = () => layer(next(), 64, 64, 3, 3).slice(0, 1) // without a bias
  const blocks = (count: number, isMiddle: boolean) =>
    range(count).flatMap(() => {
      const name = next()
      const convs = [0, 2, 4].flatMap((i) => layer(`${name}.conv.${i}`, 64, 64, 3, 3))
      if (!(pool && isMiddle)) return convs
      const ends = [
        [`${name}.pool.0.weight`, [256, 64, 1, 1]],
        [`${name}.pool.3.weight`, [64, 256, 1, 1]],
      ] as const
      return [...convs, ...layer(`${name}.pool.1`, 256), ...ends]
    })
  const skip = (): readonly [] => {
    n++
    return []
  }
  if (side === 'encoder')
    return new Map([
      ...conv(3, 64),
      ...blocks(1, false),
      ...[false, false, true].flatMap((isMiddle) => [...change(), ...blocks(3, isMiddle)]),
      ...conv(64, latents),
    ])
  return new Map([
    ...skip(),
    ...conv(latents, 64),
    ...skip(),
    ...[true, false, false].flatMap((isMiddle) => [...blocks(3, isMiddle), ...skip(), ...change()]),
    ...blocks(1, false),
    ...conv(64, 3),
  ])
}

const both = (latents: number, pool: boolean): Shapes =>
  new Map([...tinyHalf('encoder', latents, pool), ...tinyHalf('decoder', latents, pool)])

const tinyOf = (latentChannels: number, midBlockPool: boolean) => {
  const { encoder, decoder } = autoencoderTiny({ channels: 3, latentChannels, midBlockPool })
  return { encoder: encoder.init(key(0)), decoder: decoder.init(key(0)) }
}

const misfits = (params: { encoder: TinyParams; decoder: TinyParams }, source: string, found: Shapes) =>
  misfitsOf(placesOf(params, tinyFamily.names[source]?.(params)), found)

describe('the tiny autoencoder', () => {
  it('has 1,222,532 parameters in its encoder, convolutions with biases but for the three that halve, and one less in its decoder', () => {
    const { encoder, decoder } = tinyOf(4, false)
    const [stem, blocks, halvings, head] = [9 * 3 * 64 + 64, 30 * (9 * 64 * 64 + 64), 3 * 9 * 64 * 64, 9 * 64 * 4 + 4]
    expect(stem + blocks + halvings + head).toBe(1_222_532)
    expect([countElements(encoder), countElements(decoder)]).toEqual([1_222_532, 1_222_531])
  })

  it('is TAESD by the names of its author, and those of diffusers, whose decoder is numbered from its first convolution', () => {
    const params = tinyOf(4, false)
    const found = both(4, false)
    expect(misfits(params, 'taesd', found)).toEqual([])
    const diffusers = new Map(
      [...found].map(([name, shape]) => [
        name.replace(
          /^(encoder|decoder)\.(\d+)/,
          (_, side: string, n: string) => `${side}.layers.${side === 'encoder' ? n : Number(n) - 1}`,
        ),
        shape,
      ]),
    )
    expect(misfits(params, 'diffusers', diffusers)).toEqual([])
    expect(diffusers.get('decoder.layers.0.weight')).toEqual([64, 4, 3, 3])
  })

  it('is taef2 with 32 channels and pools in the blocks at the smallest size: 2,677,027 parameters', () => {
    const params = tinyOf(32, true)
    const found = both(32, true)
    expect([found.get('encoder.14.weight'), found.get('decoder.19.bias')]).toEqual([[32, 64, 3, 3], [3]])
    expect(found.get('encoder.11.pool.1.bias')).toEqual([256])
    expect(misfits(params, 'taesd', found)).toEqual([])
    expect([elements(found), countElements(params)]).toEqual([2_677_027, 2_677_027])
  })
})
