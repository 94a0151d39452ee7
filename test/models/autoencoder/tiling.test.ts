/** Pictures in tiles: where tiles agree with the whole, how they are blended, and what they are cut into. */
import { describe, expect, it } from 'vitest'
import {
  autoencoderKl,
  autoencoderTiny,
  tiledAutoencoder,
  type Autoencoder,
  type KlConfig,
  type TileOptions,
} from '../../../src/models/index.ts'
import { range } from '../../../src/prelude/array.ts'
import { concatenate } from '../../../src/tensor/combine.ts'
import { zeros } from '../../../src/tensor/create.ts'
import { key, normal } from '../../../src/tensor/random.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../../support/device.ts'

const device = cpuDevice({ fused: false }) // each pixel is summed in the same order, whatever the size of the picture

const paramsOf = async <Enc, Dec>({ encoder, decoder }: Autoencoder<Enc, Dec>) => ({
  encoder: await device.realize(encoder.init(key(1))),
  decoder: await device.realize(decoder.init(key(2))),
})

const plain: KlConfig = { channels: 1, latentChannels: 2, widths: [2, 2], layers: 1, norm: 'none' }

/** How far `plain` reaches in latents: in the decoder 9 convolutions at their size (stem, 2 + 2 blocks), and 6 at twice that. */
const reach = 9 + 6 / 2

const decoded = async (config: KlConfig, z: Tensor, options: TileOptions) => {
  const net = autoencoderKl(config)
  const params = await paramsOf(net)
  const whole = await values(net.decoder.apply(params.decoder, z), device)
  const tiles = await values(await tiledAutoencoder(device, net, options).decode(params.decoder, z), device)
  return { whole, tiles }
}

const difference = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((most, x, i) => Math.max(most, Math.abs(x - (b[i] ?? NaN))), 0)

describe('an autoencoder in tiles', { timeout: 120_000 }, () => {
  it('decodes to the bits of whole pictures, without norms and attention, where the margin is as wide as its reach', async () => {
    const z = normal(key(3), [1, 30, 36, 2])
    const { whole, tiles } = await decoded(plain, z, { size: 28, overlap: 2, margin: reach })
    expect(tiles).toEqual(whole)
  })

  it('encodes to the bits of whole pictures as well, means and variances', async () => {
    const net = autoencoderKl(plain)
    const params = await paramsOf(net)
    const x = normal(key(4), [1, 60, 56, 1])
    const whole = net.encoder.apply(params.encoder, x)
    const tiles = await tiledAutoencoder(device, net, { size: 27, overlap: 1, margin: reach }).encode(params.encoder, x)
    expect(await values(tiles.mean, device)).toEqual(await values(whole.mean, device))
    const [ours, theirs] = [tiles.logVariance, whole.logVariance]
    expect(await values(ours ?? zeros([1]), device)).toEqual(await values(theirs ?? zeros([2]), device))
  })

  it('of a network without norms and attention depends on no latent farther than its convolutions reach', async () => {
    const z = normal(key(3), [1, 1, 40, 2])
    const net = autoencoderKl(plain)
    const params = await paramsOf(net)
    const moved = z.add(concatenate([zeros([1, 1, 20, 2]), zeros([1, 1, 1, 2]).add(1000), zeros([1, 1, 19, 2])], 2))
    const [a, b] = [z, moved].map((x) => net.decoder.apply(params.decoder, x))
    const [before, after] = [await values(a ?? z, device), await values(b ?? z, device)]
    const columns = range(80).filter((x) => [x, 80 + x].some((i) => before[i] !== after[i]))
    expect(Math.min(...columns)).toBeGreaterThanOrEqual(2 * (20 - reach))
    expect(Math.max(...columns)).toBeLessThanOrEqual(2 * (20 + reach) + 1)
    expect(columns.length).toBeGreaterThan(30)
  })

  it('differs only near the borders of tiles without a margin, and nowhere farther than it reaches', async () => {
    const [height, width] = [4, 60]
    const { whole, tiles } = await decoded(plain, normal(key(3), [1, height, width, 2]), { size: 32, overlap: 4 })
    const differs = range(2 * width).filter((x) =>
      range(2 * height).some((y) => whole[y * 2 * width + x] !== tiles[y * 2 * width + x]),
    )
    // tiles cover the latents 0–32 and 28–60: the borders are at 28 and 32
    expect(differs.length).toBeGreaterThan(0)
    expect(Math.min(...differs)).toBeGreaterThanOrEqual(2 * (28 - reach))
    expect(Math.max(...differs)).toBeLessThan(2 * (32 + reach))
  })

  it.each([
    ['group norms', { ...plain, norm: 'group', groups: 1 }],
    ['attention', { ...plain, attention: true }],
  ] as const)('is not the whole with %s, whatever the margin: every tile has its own', async (_, config) => {
    const { whole, tiles } = await decoded(config, normal(key(3), [1, 8, 36, 2]), {
      size: 28,
      overlap: 2,
      margin: reach,
    })
    expect(difference(whole, tiles)).toBeGreaterThan(1e-5)
  })

  it('goes linearly from one tile to the next', async () => {
    // A decoder that tells its tiles apart: it gives the mean of the tile everywhere.
    const net: Autoencoder<object, object> = {
      encoder: { init: () => ({}), apply: (_, x) => ({ mean: x }) },
      decoder: { init: () => ({}), apply: (_, z) => z.mean([1, 2], true).broadcastTo(z.shape) },
      factor: 1,
      latentChannels: 1,
    }
    const z = concatenate([zeros([1, 1, 4, 1]), zeros([1, 1, 2, 1]).add(12)], 2)
    const blended = await tiledAutoencoder(device, net, { size: 4, overlap: 2 }).decode({}, z)
    // tiles [0, 0, 0, 0] and [0, 0, 12, 12]; shares ¼ and ¾ of the second, whose mean is 6
    expect(await values(blended, device)).toEqual([0, 0, 1.5, 4.5, 6, 6])
  })

  it('takes many pictures in batches of one shape, the last one filled up', async () => {
    const net = autoencoderKl({ ...plain, norm: 'group', groups: 1, attention: true })
    const params = await paramsOf(net)
    const z = normal(key(5), [5, 4, 4, 2])
    const { decode } = tiledAutoencoder(device, net, { size: Infinity, batch: 2 })
    expect(await values(await decode(params.decoder, z), device)).toEqual(
      await values(net.decoder.apply(params.decoder, z), device),
    )
  })

  it('has no variance where the autoencoder has none', async () => {
    const net = autoencoderTiny({
      channels: 1,
      latentChannels: 2,
      width: 2,
      encoderBlocks: [1, 1],
      decoderBlocks: [1, 1],
    })
    const params = await paramsOf(net)
    const posterior = await tiledAutoencoder(device, net, { size: 4 }).encode(params.encoder, zeros([1, 8, 20, 1]))
    expect([posterior.mean.shape, posterior.logVariance]).toEqual([[1, 4, 10, 2], undefined])
  })

  it('refuses tiles that leave nothing, lengths that are no whole numbers, no pictures, and pictures that do not fit', async () => {
    const net = autoencoderKl(plain)
    const params = await paramsOf(net)
    const tiled = (options: TileOptions) => tiledAutoencoder(device, net, options)
    expect(() => tiled({ size: 8, overlap: 4, margin: 2 })).toThrow('use a size of at least 9')
    expect(() => tiled({ size: 8, overlap: 1.5 })).toThrow('overlap is 1.5; it must be a whole number of latents')
    expect(() => tiled({ size: 8, batch: 0 })).toThrow('batch is 0')
    expect(() => tiled({ size: 8.5 })).toThrow('tiles of 8.5 latents')
    await expect(tiled({ size: 8 }).decode(params.decoder, zeros([0, 4, 4, 2]))).rejects.toThrow('no pictures')
    await expect(tiled({ size: 8 }).decode(params.decoder, zeros([1, 4, 4, 3]))).rejects.toThrow('takes latents')
    await expect(tiled({ size: 8 }).encode(params.encoder, zeros([1, 5, 4, 1]))).rejects.toThrow('divisible by 2')
  })
})
