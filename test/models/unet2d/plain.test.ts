/** The U-Net of diffusers in all its stages and options against plain loops, which the golden values hold to account. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeDiffusersUnet2d, unet2d, unet2dNames } from '../../../src/models/index.ts'
import { product } from '../../../src/prelude/array.ts'
import { tensor } from '../../../src/tensor/create.ts'
import { placesOf } from '../../../src/tensor/nameMap.ts'
import { key } from '../../../src/tensor/random.ts'
import { cpuDevice } from '../../support/device.ts'
import { goldenConfig, loaded, type Arrays } from '../autoencoder/support.ts'
import { goldenTensors, noise, relativeError, right } from '../golden.ts'
import { plainUnet, type PlainConfig, type Plane } from './plain.ts'

/** Small widths that a group norm of stages with skip divides, and those with attention. */
const base: PlainConfig & { readonly in_channels: number; readonly out_channels: number } = {
  in_channels: 3,
  out_channels: 3,
  center_input_sample: false,
  time_embedding_type: 'positional',
  freq_shift: 0,
  flip_sin_to_cos: true,
  down_block_types: ['DownBlock2D', 'AttnDownBlock2D'],
  up_block_types: ['AttnUpBlock2D', 'UpBlock2D'],
  block_out_channels: [8, 12],
  layers_per_block: 1,
  mid_block_scale_factor: 1,
  downsample_padding: 1,
  downsample_type: 'conv',
  upsample_type: 'conv',
  act_fn: 'silu',
  attention_head_dim: null,
  norm_num_groups: 4,
  attn_norm_num_groups: null,
  norm_eps: 1e-5,
  resnet_time_scale_shift: 'default',
  add_attention: true,
  class_embed_type: null,
  num_class_embeds: null,
}

const planeOf = (values: Float32Array, [c = 0, h = 0, w = 0]: readonly number[]): Plane => ({
  c,
  h,
  w,
  data: Float64Array.from(values),
})

const nhwcOf = ({ c, h, w, data }: Plane) =>
  tensor([...data], { shape: [1, c, h, w], dtype: 'f32' }).transpose([0, 2, 3, 1])

/** The network of a configuration with random weights, on a random picture: the library's result and that of plain loops. */
const both = async (
  config: typeof base & { readonly num_train_timesteps?: number },
  {
    t = 7,
    label,
    size = 4,
  }: { readonly t?: number; readonly label?: number | readonly number[]; readonly size?: number } = {},
) => {
  const { settings, ignored, ...channels } = right(decodeDiffusersUnet2d(config))
  expect(ignored).toEqual([])
  const model = unet2d({ ...settings, ...channels })
  const template = model.init(key(0))
  const names = unet2dNames(template)
  const arrays: Arrays = new Map(
    placesOf(template, names).map(({ name, shape }, i) => {
      const values = noise(product(shape), i + 1).map((v) => v * (name.includes('time_proj') ? 1 : 0.5))
      return [name, { shape, values }]
    }),
  )
  const picture = planeOf(noise(config.in_channels * size * size, 999), [config.in_channels, size, size])
  const { output, used } = plainUnet(config, arrays, picture, t, label)
  const device = cpuDevice()
  const condition = (): readonly number[] | undefined => {
    if (typeof label !== 'number') return label
    if (config.class_embed_type === 'timestep') return [label]
    return Array.from({ length: config.num_class_embeds ?? 0 }, (_, i) => (i === label ? 1 : 0))
  }
  const given = condition()
  const y = model.apply(loaded(template, names, arrays), {
    x: nhwcOf(picture),
    t: tensor([t]),
    ...(given !== undefined && { condition: tensor([[...given]]) }),
  })
  const [ours, theirs] = [await device.read(y), await device.read(nhwcOf(output))]
  return { error: relativeError(ours, theirs), unused: [...arrays.keys()].filter((name) => !used.has(name)) }
}

const agrees = async (...args: Parameters<typeof both>): Promise<void> =>
  expect(await both(...args)).toEqual({ error: expect.toSatisfy((e: number) => e < 1e-4), unused: [] })

describe('plain loops', () => {
  it.each(['unet2d-attn', 'unet2d-ddpm-style', 'unet2d-scaleshift-class'])(
    'give what diffusers does: %s',
    async (folder) => {
      const config = (await goldenConfig(folder)) as PlainConfig
      const weights = await goldenTensors(`${folder}/diffusion_pytorch_model.safetensors`)
      const io = await goldenTensors(`${folder}/io.safetensors`)
      const first = (name: string): Plane => {
        const { values, shape } = io.get(name) ?? { values: new Float32Array(), shape: [] }
        return planeOf(values.slice(0, values.length / 2), shape.slice(1))
      }
      const [t = NaN] = io.get('timestep')?.values ?? []
      const { output, used } = plainUnet(config, weights, first('sample'), t, io.get('class_labels')?.values[0])
      expect(relativeError(output.data, first('output').data)).toBeLessThan(1e-5)
      expect([...weights.keys()].filter((name) => !used.has(name))).toEqual([])
    },
  )
})

const pairs = [
  ['DownBlock2D', 'UpBlock2D'],
  ['AttnDownBlock2D', 'AttnUpBlock2D'],
  ['ResnetDownsampleBlock2D', 'ResnetUpsampleBlock2D'],
] as const
const skips = [
  ['SkipDownBlock2D', 'SkipUpBlock2D'],
  ['AttnSkipDownBlock2D', 'AttnSkipUpBlock2D'],
] as const

describe('unet2d, in stages', { timeout: 120_000 }, () => {
  it('of every kind on the way down with every kind on the way up', async () => {
    for (const [down] of pairs)
      for (const [, up] of pairs)
        for (const type of ['conv', 'resnet'])
          await agrees({
            ...base,
            down_block_types: [down, 'DownBlock2D'],
            up_block_types: [up, 'UpBlock2D'],
            downsample_type: type,
            upsample_type: type,
          })
  })

  it('of NCSN++, with a small image beside the large one', async () => {
    const ncsn = {
      ...base,
      norm_num_groups: null,
      mid_block_scale_factor: Math.SQRT2,
      block_out_channels: [32, 32, 64],
    }
    for (const [down, up] of skips)
      await agrees({ ...ncsn, down_block_types: [down, down, down], up_block_types: [up, up, up] }, { size: 8 })
  })

  it('with skip first and last, and others between', async () => {
    await agrees(
      {
        ...base,
        block_out_channels: [8, 12, 16],
        down_block_types: ['SkipDownBlock2D', 'SkipDownBlock2D', 'AttnDownBlock2D'],
        up_block_types: ['AttnUpBlock2D', 'SkipUpBlock2D', 'SkipUpBlock2D'],
      },
      { size: 8 },
    )
    await agrees({
      ...base,
      down_block_types: ['SkipDownBlock2D', 'DownBlock2D'],
      up_block_types: ['UpBlock2D', 'SkipUpBlock2D'],
    })
  })

  it('of any widths, layers and depths', async () => {
    const kinds = fc.constantFrom(...pairs)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(4, 8, 12), kinds, kinds), { minLength: 1, maxLength: 3 }),
        fc.constantFrom(1, 2),
        async (stages, layers) => {
          await agrees(
            {
              ...base,
              block_out_channels: stages.map(([width]) => width),
              down_block_types: stages.map(([, [down]]) => down),
              up_block_types: stages.map(([, , [, up]]) => up),
              layers_per_block: layers,
            },
            { size: 2 ** (stages.length - 1) * 2 },
          )
        },
      ),
      { numRuns: 12 },
    )
  })
})

interface Option {
  readonly what: string
  readonly changes: Partial<Parameters<typeof both>[0]>
  readonly call?: Parameters<typeof both>[1]
}

const options: readonly Option[] = [
  { what: 'an image in [0, 1]', changes: { center_input_sample: true } },
  { what: 'times by deviations of noise', changes: { time_embedding_type: 'fourier' }, call: { t: 0.3 } },
  { what: 'learned times', changes: { time_embedding_type: 'learned', num_train_timesteps: 9 }, call: { t: 8 } },
  { what: 'frequencies that end at 10⁻⁴, sines first', changes: { freq_shift: 1, flip_sin_to_cos: false } },
  { what: 'pictures halved without padding on the left and above', changes: { downsample_padding: 0 } },
  { what: 'heads of 4 channels', changes: { attention_head_dim: 4 } },
  { what: 'no attention in the middle', changes: { add_attention: false } },
  { what: 'groups of the attention in the middle', changes: { attn_norm_num_groups: 2 } },
  { what: 'a scale and a shift, and a middle without a norm', changes: { resnet_time_scale_shift: 'scale_shift' } },
  {
    what: 'a scale and a shift, and groups in the middle',
    changes: { resnet_time_scale_shift: 'scale_shift', attn_norm_num_groups: 3 },
  },
  { what: 'a middle that is divided', changes: { mid_block_scale_factor: 2 } },
  { what: 'another activation', changes: { act_fn: 'mish' } },
  { what: 'another ε', changes: { norm_eps: 0.1 } },
  { what: 'classes', changes: { num_class_embeds: 3 }, call: { label: 2 } },
  { what: 'a class that is like a time', changes: { class_embed_type: 'timestep' }, call: { label: 5 } },
  {
    what: 'a class that is a vector',
    changes: { class_embed_type: 'identity' },
    call: { label: Array.from(noise(32, 5)) },
  },
  { what: 'images of 2 channels, results of 5', changes: { in_channels: 2, out_channels: 5 } },
]

describe('unet2d, with an option of diffusers', { timeout: 120_000 }, () => {
  it.each(options.map((option): [string, Option] => [option.what, option]))('%s', (_, { changes, call }) =>
    agrees({ ...base, ...changes }, call),
  )
})
