/** Cross-attention in the U-Net of diffusers, against a PyTorch program (test/golden/unet2d-tokens/make.py); its numbers of parameters, and what is refused. */
import { describe, expect, it } from 'vitest'
import { vjp } from '../../../src/autograd/index.ts'
import {
  decodeDiffusersUnet2d,
  edm2,
  encodeDiffusersUnet2d,
  unet2d,
  unet2dFamily,
  unet2dNames,
  type Unet2dOptions,
  type Unet2dParams,
} from '../../../src/models/index.ts'
import { product } from '../../../src/prelude/array.ts'
import { E } from '../../../src/prelude/fp.ts'
import { tensor, zeros } from '../../../src/tensor/create.ts'
import { placesOf } from '../../../src/tensor/nameMap.ts'
import { key } from '../../../src/tensor/random.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { countElements, leavesWithPaths, mapTree } from '../../../src/tensor/tree.ts'
import { configOf } from '../../../src/train/index.ts'
import { cpuDevice } from '../../support/device.ts'
import { goldenTensors, noise, relativeError, right } from '../golden.ts'

const cases = {
  one: {
    widths: [4, 8],
    layers: 1,
    down: ['cross-attention', 'plain'],
    heads: 2,
    groups: 2,
    attention: 'cross',
    tokenWidth: 6,
  },
  two: {
    widths: [4, 8],
    layers: 1,
    down: ['plain', 'cross-attention'],
    heads: [1, 4],
    groups: 4,
    attention: 'cross',
    tokenWidth: 5,
    transformerLayers: 2,
    linearProjection: true,
    channels: 1,
  },
} as const satisfies Readonly<Record<string, Unet2dOptions>>

const f64 = (shape: readonly number[], seed: number, scale = 1, more = 0): Tensor =>
  tensor(
    Float64Array.from(noise(product(shape), seed), (v) => v / scale + more),
    { shape },
  )

/** An image of PyTorch as ours. */
const turned = (x: Tensor): Tensor => x.transpose([0, 2, 3, 1])

/** The parameters that make.py draws: noise in the order of their foreign names. */
const drawn = (template: Unet2dParams): Unet2dParams => {
  const places = placesOf(template, unet2dNames(template)).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const byPath = new Map(places.map((place, i) => [place.path, { ...place, seed: i }]))
  return mapTree(template, (ours, path) => {
    const place = byPath.get(path)
    if (place === undefined) throw new Error(`nothing for ${path}`)
    const { shape, name, seed, permutation } = place
    const isNorm = shape.length === 1 && name.includes('norm') && name.endsWith('weight')
    const theirs = f64(shape, seed, Math.sqrt(product(shape.slice(1))), isNorm ? 1 : 0)
    return theirs.transpose(permutation).reshape(ours.shape)
  })
}

describe.each(Object.entries(cases))('a network with cross-attention: %s', (name, options: Unet2dOptions) => {
  it("gives PyTorch's result, and the gradients of images, tokens and parameters", { timeout: 120_000 }, async () => {
    const io = await goldenTensors('unet2d-tokens/unet.safetensors')
    const { channels = 3, tokenWidth = 0 } = options
    const model = unet2d(options)
    const template = model.init(key(0))
    const device = cpuDevice()
    const params = await device.realize(drawn(template))
    const given = await device.realize({
      x: turned(f64([2, channels, 4, 4], 1001)),
      tokens: f64([2, 3, tokenWidth], 1002),
      cotangent: turned(f64([2, channels, 4, 4], 1003)),
    })
    const run = device.compile((params: Unet2dParams, { x, tokens, cotangent }: typeof given) => {
      const { value, pullback } = vjp(
        (p: Unet2dParams, x: Tensor, tokens: Tensor) => model.apply(p, { x, t: tensor([3, 700]), tokens }),
        params,
        x,
        tokens,
      )
      const [byParams, byX, byTokens] = pullback(cotangent)
      return { value, byParams, byX, byTokens }
    })
    const { value, byParams, byX, byTokens } = await run(params, given)
    const near = async (actual: Tensor, expected: Tensor, what: string): Promise<void> =>
      expect(relativeError(await device.read(actual), await device.read(expected)), what).toBeLessThan(1e-5)
    const theirs = (role: string): Tensor => {
      const found = io.get(`${name}/${role}`)
      if (found === undefined) throw new Error(`the file lacks ${role}`)
      return tensor(found.values, { shape: found.shape })
    }
    await near(value, turned(theirs('out')), 'out')
    await near(byX, turned(theirs('grad_x')), 'grad_x')
    await near(byTokens, theirs('grad_tokens'), 'grad_tokens')
    const places = new Map(placesOf(template, unet2dNames(template)).map((place) => [place.path, place]))
    const compared: string[] = []
    for (const [path, ours] of leavesWithPaths(byParams)) {
      const place = places.get(path)
      if (place === undefined || !place.name.includes('attentions')) continue
      compared.push(place.name)
      await near(ours, theirs(`grad.${place.name}`).transpose(place.permutation).reshape(ours.shape), place.name)
    }
    const expected = [...io.keys()].flatMap((role) => (role.startsWith(`${name}/grad.`) ? [role.slice(9)] : []))
    expect(compared.toSorted()).toEqual(expected.toSorted())
  })
})

/** The U-Net of Stable Diffusion 1.5. */
const sd15 = {
  _class_name: 'UNet2DConditionModel',
  act_fn: 'silu',
  attention_head_dim: 8,
  block_out_channels: [320, 640, 1280, 1280],
  center_input_sample: false,
  cross_attention_dim: 768,
  down_block_types: ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
  downsample_padding: 1,
  flip_sin_to_cos: true,
  freq_shift: 0,
  in_channels: 4,
  layers_per_block: 2,
  mid_block_scale_factor: 1,
  norm_eps: 1e-5,
  norm_num_groups: 32,
  out_channels: 4,
  sample_size: 64,
  up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
}

describe('a configuration of UNet2DConditionModel', () => {
  const networkOf = (json: object) => {
    const { settings, channels, outChannels } = right(decodeDiffusersUnet2d(json))
    return unet2d({ ...settings, channels, outChannels })
  }

  it('makes the 859,520,964 parameters of Stable Diffusion 1.5, under their names', () => {
    const params = networkOf(sd15).init(key(0))
    expect(countElements(params)).toBe(859_520_964)
    const places = new Map(placesOf(params, unet2dNames(params)).map(({ name, shape }) => [name, shape]))
    expect(places.size).toBe(686)
    const inside = 'down_blocks.1.attentions.0.transformer_blocks.0'
    expect(places.get('down_blocks.1.attentions.0.proj_in.weight')).toEqual([640, 640, 1, 1])
    expect(places.get('down_blocks.1.attentions.0.norm.weight')).toEqual([640])
    expect(places.get(`${inside}.attn2.to_k.weight`)).toEqual([640, 768])
    expect(places.get(`${inside}.attn1.to_out.0.bias`)).toEqual([640])
    expect(places.get(`${inside}.ff.net.0.proj.weight`)).toEqual([5120, 640])
    expect(places.get(`${inside}.ff.net.2.weight`)).toEqual([640, 2560])
    expect(places.get('mid_block.attentions.0.transformer_blocks.0.norm3.weight')).toEqual([1280])
    expect(places.get('up_blocks.1.attentions.2.proj_out.weight')).toEqual([1280, 1280, 1, 1])
  })

  it('makes the 865,910,724 of Stable Diffusion 2, whose ends are linear, with heads for each stage', () => {
    const sd2 = { ...sd15, attention_head_dim: [5, 10, 20, 20], cross_attention_dim: 1024, use_linear_projection: true }
    const params = networkOf({ ...sd2, upcast_attention: true, dual_cross_attention: false }).init(key(0))
    expect(countElements(params)).toBe(865_910_724)
    const places = placesOf(params, unet2dNames(params))
    expect(places.find(({ name }) => name === 'up_blocks.1.attentions.2.proj_out.weight')?.shape).toEqual([1280, 1280])
  })

  it.each<readonly [object, string, RegExp]>([
    [{ addition_embed_type: 'text_time' }, 'addition_embed_type', /null: networks with another are not built here/],
    [{ class_embed_type: 'projection' }, 'class_embed_type', /null: networks with another/],
    [{ mid_block_type: 'UNetMidBlock2D' }, 'mid_block_type', /UNetMidBlock2DCrossAttn or null/],
    [{ down_block_types: ['AttnDownBlock2D'] }, 'down_block_types', /CrossAttnDownBlock2D: no others/],
    [{ transformer_layers_per_block: [1, 2, 10] }, 'transformer_layers_per_block', /a whole number/],
    [{ attention_head_dim: 7 }, 'attention_head_dim', /divides the width of each stage with cross-attention, as 320/],
    [{ attention_head_dim: [8, 8] }, 'attention_head_dim', /a number for each of the 4 widths, not 2/],
  ])('that says %j is refused', (changes, path, words) =>
    expect(decodeDiffusersUnet2d({ ...sd15, ...changes })).toMatchObject(
      E.left({ inside: { path }, expected: expect.stringMatching(words) }),
    ),
  )
})

describe('tokens', () => {
  const model = unet2d(cases.one)
  const params = model.init(key(0))
  const input = { x: zeros([2, 4, 4, 3]), t: zeros([2]) }

  it('are needed by a network that attends to them, as a sequence of vectors for each image', () => {
    expect(() => model.apply(params, input)).toThrow(
      /unet2d: the network attends to tokens, and there are none: give tokens \[N, L, 6\]/,
    )
    for (const shape of [
      [2, 3, 5],
      [1, 3, 6],
      [2, 6],
    ])
      expect(() => model.apply(params, { ...input, tokens: zeros(shape) })).toThrow(/must be \[2, L, 6\]: a sequence/)
    expect(model.apply(params, { ...input, tokens: zeros([2, 7, 6]) }).shape).toEqual([2, 4, 4, 3])
  })

  it('are refused by a network without cross-attention', () => {
    const plain = unet2d({ widths: [4], layers: 1, groups: 1, headWidth: 4 })
    expect(() => plain.apply(plain.init(key(0)), { ...input, tokens: zeros([2, 3, 6]) })).toThrow(
      /unet2d: tokens \[2,3,6\] are given to a network without cross-attention: leave them out/,
    )
    const other = edm2({ width: 4, multipliers: [1], blocks: 1, headWidth: 4 })
    expect(() => other.apply(other.init(key(0)), { ...input, tokens: zeros([2, 3, 6]) })).toThrow(/edm2: tokens/)
  })

  it('have a width where there is something that attends to them, and only there', () => {
    const words = /unet2d: tokenWidth must be there where stages have cross-attention, and only there/
    expect(() => unet2d({ widths: [4], layers: 1, groups: 1, tokenWidth: 5 })).toThrow(words)
    expect(() => unet2d({ widths: [4], layers: 1, groups: 1, attention: 'cross' })).toThrow(words)
  })

  it('are none of a run, which says so, and none of a UNet2DModel', () => {
    const stages = { widths: [8, 8], layers: 1, groups: 4, down: ['cross-attention', 'plain'] } as const
    const refused = configOf({ out: 'run', height: 8, width: 8, model: { kind: 'unet2d', ...stages } })
    expect(refused).toMatchObject(
      E.left({
        message: expect.stringMatching(/model.down must be a list without cross-attention: .* a run has none/),
      }),
    )
    expect(unet2dFamily.decode({ ...stages, down: ['plain', 'plain'], attention: 'cross' })).toMatchObject(
      E.left({ inside: { path: 'attention' } }),
    )
    expect(encodeDiffusersUnet2d({ ...stages, tokenWidth: 5 }, [8, 8])).toMatchObject(
      E.left({ expected: 'without cross-attention: a UNet2DModel has no tokens', inside: { path: 'down' } }),
    )
    expect(decodeDiffusersUnet2d({ ...sd15, _class_name: 'UNet2DModel' })).toMatchObject(
      E.left({ inside: { path: 'down_block_types' } }),
    )
  })
})
