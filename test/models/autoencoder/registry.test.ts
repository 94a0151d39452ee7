/** Configurations of autoencoders: ours, a union on `kind`, and those of diffusers. */
import { describe, expect, it } from 'vitest'
import {
  autoencoderDefaults,
  autoencoderOf,
  decodeAutoencoder,
  decodeDiffusersAutoencoder,
  type AutoencoderKind,
} from '../../../src/models/index.ts'
import { E } from '../../../src/prelude/fp.ts'
import { zeros } from '../../../src/tensor/create.ts'
import { key } from '../../../src/tensor/random.ts'
import { right } from '../golden.ts'
import { goldenConfig } from './support.ts'

const kinds: readonly AutoencoderKind[] = ['kl', 'tiny', 'vq']

const faultOf = (result: E.Either<unknown, unknown>): unknown => (E.isLeft(result) ? result.left : result)

describe('a configuration of an autoencoder', () => {
  it.each(kinds)('of the kind %s is decoded as it is, and makes a network that gives pictures back', (kind) => {
    const config = autoencoderDefaults(kind)
    expect(right(decodeAutoencoder(JSON.parse(JSON.stringify(config))))).toEqual(config)
    autoencoderOf(config)(({ autoencoder: { encoder, decoder, factor, latentChannels } }) => {
      const { mean } = encoder.apply(encoder.init(key(0)), zeros([2, 4 * factor, 2 * factor, 3]))
      expect(mean.shape).toEqual([2, 4, 2, latentChannels])
      expect(decoder.apply(decoder.init(key(0)), mean).shape).toEqual([2, 4 * factor, 2 * factor, 3])
    })
  })

  it.each([
    [{ kind: 'vae' }, 'kind'],
    [{}, 'kind'],
    [{ kind: 'kl', channels: 3, latentChannels: 4, widths: [32], layers: 0 }, 'layers'],
    [{ kind: 'kl', channels: 3, latentChannels: 4, widths: [30], layers: 1 }, 'widths'],
    [{ kind: 'kl', channels: 3, latentChannels: 4, widths: [32], layers: 1, with: 2 }, 'with'],
    [{ kind: 'kl', channels: 3, latentChannels: 4, widths: [32], layers: 1, encoderAttention: [true, true] }, 'widths'],
    [{ kind: 'kl', channels: 3, latentChannels: 4, widths: [32], layers: 1, scaling: { factor: 0 } }, 'scaling.factor'],
    [{ kind: 'tiny', channels: 3, latentChannels: 4, encoderBlocks: [1, 1], decoderBlocks: [1] }, 'decoderBlocks'],
    [{ kind: 'vq', channels: 3, latentChannels: 4, widths: [32], layers: 1, codes: 9, codeWidth: 2 }, 'codeWidth'],
  ])('%j is refused with the path of what is wrong', (config, path) => {
    expect(faultOf(decodeAutoencoder(config))).toMatchObject({ inside: { path } })
  })

  it('knows the scale of its latents, which is 1 where nobody measured them', () => {
    const of = (extra: object) =>
      autoencoderOf(right(decodeAutoencoder({ ...autoencoderDefaults('kl'), ...extra })))(({ scaling }) => scaling)
    expect(of({})).toEqual({ factor: 1 })
    expect(of({ scaling: { factor: 0.5, mean: [1, 2, 3, 4] } })).toEqual({ factor: 0.5, mean: [1, 2, 3, 4] })
  })
})

describe('a configuration of diffusers', () => {
  it('of the golden AutoencoderKL is ours by our names', async () => {
    expect(right(decodeDiffusersAutoencoder(await goldenConfig('autoencoderkl')))).toEqual({
      ignored: [],
      config: {
        kind: 'kl',
        channels: 3,
        outChannels: 3,
        latentChannels: 4,
        widths: [16, 32],
        layers: 1,
        activation: 'silu',
        groups: 8,
        attention: true,
        encoderAttention: [false, false],
        decoderAttention: [false, false],
        quantConv: true,
        postQuantConv: true,
        scaling: { factor: 0.18215 },
      },
    })
  })

  it('has the defaults of its class where it is silent, and attention where its blocks say so', () => {
    const { config } = right(
      decodeDiffusersAutoencoder({
        _class_name: 'AutoencoderKL',
        block_out_channels: [32, 64],
        down_block_types: ['DownEncoderBlock2D', 'AttnDownEncoderBlock2D'],
        up_block_types: ['AttnUpDecoderBlock2D', 'UpDecoderBlock2D'],
        act_fn: 'swish',
        use_quant_conv: false,
        shift_factor: 0.1159,
        latents_mean: null,
      }),
    )
    expect(config).toMatchObject({
      layers: 1,
      groups: 32,
      activation: 'silu',
      attention: true,
      encoderAttention: [false, true],
      decoderAttention: [true, false],
      quantConv: false,
      postQuantConv: true,
      scaling: { factor: 0.18215, shift: 0.1159 },
    })
    expect(config.scaling).not.toHaveProperty('mean')
  })

  it('of AutoencoderTiny is TAESD where it is silent', () => {
    const { config } = right(decodeDiffusersAutoencoder({ _class_name: 'AutoencoderTiny' }))
    expect(autoencoderOf(config)(({ autoencoder }) => [autoencoder.factor, autoencoder.latentChannels])).toEqual([8, 4])
  })

  it('names the settings that mean nothing here, but not those that are about something else', () => {
    const { ignored } = right(
      decodeDiffusersAutoencoder({
        _class_name: 'VQModel',
        sample_size: 32,
        force_upcast: true,
        frames: 2,
        theta: null,
      }),
    )
    expect(ignored).toEqual(['frames'])
  })

  it.each([
    [{ _class_name: 'UNet2DModel' }, '_class_name'],
    ['AutoencoderKL', '_class_name'],
    [{ _class_name: 'AutoencoderKL', down_block_types: ['CrossAttnDownBlock2D'] }, 'down_block_types'],
    [{ _class_name: 'AutoencoderKL', block_out_channels: [64, 64] }, 'widths'],
    [{ _class_name: 'AutoencoderKL', act_fn: 'tanh' }, 'act_fn'],
    [{ _class_name: 'AutoencoderTiny', decoder_block_out_channels: [64, 64, 64, 32] }, 'decoder_block_out_channels'],
    [{ _class_name: 'AutoencoderTiny', out_channels: 4 }, 'out_channels'],
    [{ _class_name: 'AutoencoderTiny', upsample_fn: 'bilinear' }, 'upsample_fn'],
    [{ _class_name: 'VQModel', norm_type: 'spatial' }, 'norm_type'],
    [{ _class_name: 'VQModel', lookup_from_codebook: true }, 'lookup_from_codebook'],
  ])('%j is refused with the path of what is wrong', (json, path) => {
    expect(faultOf(decodeDiffusersAutoencoder(json))).toMatchObject({ inside: { path } })
  })
})
