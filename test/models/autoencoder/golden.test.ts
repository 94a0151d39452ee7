/** Convolutional autoencoders against diffusers 0.27.2 (torch 1.13): posterior, reconstruction, divergence and gradients; codes and loss. */
import { describe, expect, it } from 'vitest'
import { vjp } from '../../../src/autograd/index.ts'
import { autoencoderKl, klFamily, vqFamily, vqModel } from '../../../src/models/index.ts'
import {
  nearestCodes,
  quantize,
  samplePosterior,
  summedKlDivergence,
  type AutoencoderParams,
  type DecoderParams,
  type EncoderParams,
  type VqDecoderParams,
} from '../../../src/models/index.ts'
import { tensor } from '../../../src/tensor/create.ts'
import { placesOf } from '../../../src/tensor/nameMap.ts'
import { key } from '../../../src/tensor/random.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { leavesWithPaths } from '../../../src/tensor/tree.ts'
import { cpuForms } from '../../support/device.ts'
import { goldenTensors, nhwc, relativeError, right } from '../golden.ts'
import { goldenConfig, loaded, shapesOf, type Arrays } from './support.ts'

const klOf = async () => {
  const { config, ignored } = right(klFamily.decodeDiffusersConfig(await goldenConfig('autoencoderkl')))
  const model = autoencoderKl(config)
  const template = { encoder: model.encoder.init(key(0)), decoder: model.decoder.init(key(0)) }
  return { config, ignored, model, template }
}

type KlParams = AutoencoderParams<EncoderParams, DecoderParams>

describe.each(cpuForms)('autoencoderKl, golden, cpu %s', { timeout: 120_000 }, (_, open) => {
  it("gives diffusers' posterior, latents, reconstruction and divergence, and the gradients of pictures and parameters", async () => {
    const { model, template } = await klOf()
    const weights = await goldenTensors('autoencoderkl/diffusion_pytorch_model.safetensors')
    const io = await goldenTensors('autoencoderkl/io.safetensors')
    const names = klFamily.names['diffusers']?.(template, shapesOf(weights)) ?? {}
    const device = open()
    const params = await device.realize(loaded(template, names, weights))
    const given = await device.realize({
      x: nhwc(io.get('sample')),
      noise: nhwc(io.get('noise')),
      cotangent: nhwc(io.get('cotangent')),
    })
    const run = device.compile((params: KlParams, { x, noise, cotangent }: typeof given) => {
      const forward = (p: KlParams, pictures: Tensor) => {
        const posterior = model.encoder.apply(p.encoder, pictures)
        const latent = samplePosterior(posterior, noise)
        const output = model.decoder.apply(p.decoder, latent)
        const kl = summedKlDivergence(posterior)
        return { posterior, latent, output, kl }
      }
      const { value, pullback } = vjp(
        (p: KlParams, pictures: Tensor) => {
          const { output, kl } = forward(p, pictures)
          return output.mul(cotangent).sum().add(kl.sum())
        },
        params,
        x,
      )
      const [byParams, byX] = pullback(value.mul(0).add(1))
      return { ...forward(params, x), byParams, byX }
    })
    const result = await run(params, given)
    const near = async (actual: Tensor, name: string, bound: number): Promise<void> =>
      expect(relativeError(await device.read(actual), await device.read(nhwc(io.get(name)))), name).toBeLessThan(bound)
    await near(result.posterior.mean, 'mean', 1e-4)
    if (result.posterior.logVariance !== undefined) await near(result.posterior.logVariance, 'logvar', 1e-4)
    await near(result.latent, 'latent', 1e-4)
    await near(result.output, 'output', 1e-4)
    await near(result.kl, 'kl', 1e-4)
    await near(result.byX, 'grad_sample', 1e-3)
    const places = new Map(placesOf(template, names).map((place) => [place.path, place]))
    const gradients = leavesWithPaths(result.byParams).flatMap(([path, ours]) => {
      const { name = '', permutation = [] } = places.get(path) ?? {}
      const theirs = io.get(`grad.${name}`)
      if (theirs === undefined) return []
      const expected = tensor(theirs.values, { shape: theirs.shape }).transpose(permutation).reshape(ours.shape)
      return [{ name, ours, expected }]
    })
    expect(gradients.map(({ name }) => name).toSorted()).toEqual(
      [...io.keys()].flatMap((name) => (name.startsWith('grad.') ? [name.slice(5)] : [])).toSorted(),
    )
    for (const { name, ours, expected } of gradients)
      expect(relativeError(await device.read(ours), await device.read(expected)), name).toBeLessThan(1e-3)
  })
})

describe.each(cpuForms)('vqModel, golden, cpu %s', { timeout: 120_000 }, (_, open) => {
  it("gives diffusers' latents, codes, loss in its legacy form, and reconstruction", async () => {
    const { config } = right(vqFamily.decodeDiffusersConfig(await goldenConfig('vqmodel')))
    const model = vqModel(config)
    const template = { encoder: model.encoder.init(key(0)), decoder: model.decoder.init(key(0)) }
    const weights = await goldenTensors('vqmodel/diffusion_pytorch_model.safetensors')
    const io = await goldenTensors('vqmodel/io.safetensors')
    const device = open()
    const params = await device.realize(
      loaded(template, vqFamily.names['diffusers']?.(template, shapesOf(weights)) ?? {}, weights),
    )
    const run = device.compile((p: AutoencoderParams<EncoderParams, VqDecoderParams>, x: Tensor) => {
      const { mean } = model.encoder.apply(p.encoder, x)
      return {
        latents: mean,
        indices: nearestCodes(p.decoder.codebook, mean),
        quantized: quantize(p.decoder.codebook, mean),
        commit_loss: model.codebookLoss(p.decoder, mean),
        output: model.decoder.apply(p.decoder, mean),
      }
    })
    const result = await run(params, await device.realize(nhwc(io.get('sample'))))
    const read = async (x: Tensor): Promise<readonly number[]> => Array.from(await device.read(x))
    expect(await read(result.indices)).toEqual(Array.from(io.get('indices')?.values ?? []))
    for (const name of ['latents', 'quantized', 'commit_loss', 'output'] as const)
      expect(relativeError(await read(result[name]), await read(nhwc(io.get(name)))), name).toBeLessThan(1e-4)
  })
})

/** The names of attention before 2023. */
const older = (name: string): string =>
  name
    .replace('.to_q.', '.query.')
    .replace('.to_k.', '.key.')
    .replace('.to_v.', '.value.')
    .replace('.to_out.0.', '.proj_attn.')

describe('names of diffusers', () => {
  it.each([
    ['of today', (name: string) => name, false],
    ['of before 2023', older, false],
    ['of before 2023, with the 1×1 convolutions of LDM', older, true],
    ['of today, with the 1×1 convolutions of LDM', (name: string) => name, true],
  ] as const)('%s load the same parameters', async (_, rename, isConvolved) => {
    const { template } = await klOf()
    const weights = await goldenTensors('autoencoderkl/diffusion_pytorch_model.safetensors')
    const given = new Map(
      [...weights].map(([name, { shape, values }]) => {
        const isAttention = name.includes('attentions') && shape.length === 2
        return [rename(name), { values, shape: isAttention && isConvolved ? [...shape, 1, 1] : shape }]
      }),
    )
    const device = cpuForms[0]?.[1]()
    const names = (arrays: Arrays) => klFamily.names['diffusers']?.(template, shapesOf(arrays)) ?? {}
    const [today, old] = [loaded(template, names(weights), weights), loaded(template, names(given), given)]
    const [a, b] = [leavesWithPaths(today), leavesWithPaths(old)]
    expect(b.map(([path]) => path)).toEqual(a.map(([path]) => path))
    for (const [i, [path, x]] of a.entries())
      expect(await device?.read(b[i]?.[1] ?? x.mul(NaN)), path).toEqual(await device?.read(x))
  })
})
