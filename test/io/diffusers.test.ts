/** Folders of diffusers: read, written, read again to the same bytes; in several files, by old names, and broken in many ways. */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadDiffusers, readModelFolder, recordsOf, writeModelFolder, type ModelFolder } from '../../src/io/index.ts'
import type { ArrayRecord } from '../../src/io/arrayRecord.ts'
import { decodeDiffusersUnet2d, encodeDiffusersUnet2d, unet2d, unet2dNames } from '../../src/models/index.ts'
import { E } from '../../src/prelude/fp.ts'
import { ones, tensor, zeros } from '../../src/tensor/create.ts'
import { key } from '../../src/tensor/random.ts'
import { goldenTensors, nhwc, relativeError } from '../models/golden.ts'
import { cpuDevice } from '../support/device.ts'
import { temporaryFolders } from '../support/temporaryFolder.ts'
import { done, leftMessage } from '../train/tinyRun.ts'

/** PROMISED=1 changes files as often as is promised, 50,000 times in all. */
const promised = process.env['PROMISED'] === '1'
const hour = 3_600_000

const folder = temporaryFolders()
const device = cpuDevice()
const golden = (name: string): string => fileURLToPath(new URL(`../golden/${name}`, import.meta.url))
const unets = ['unet2d-attn', 'unet2d-ddpm-style', 'unet2d-scaleshift-class'] as const

const bytesOf = ({ tensors }: Pick<ModelFolder, 'tensors'>): ReadonlyMap<string, string> =>
  new Map(
    [...tensors]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { dtype, shape, bytes }]) => [
        name,
        `${dtype} ${shape.join('×')} ${Buffer.from(bytes).toString('base64')}`,
      ]),
  )

/** A small network in a folder, with what is changed of its tensors. */
const small = { widths: [8, 8], layers: 1, groups: 4, down: ['attention', 'plain'] } as const
const smallTensors = async (): Promise<ReadonlyMap<string, ArrayRecord>> => {
  const params = unet2d(small).init(key(4))
  return new Map(await recordsOf(device, await device.realize(params), unet2dNames(params)))
}
const smallConfig = (): Readonly<Record<string, unknown>> => {
  const json = encodeDiffusersUnet2d(small, [8, 16])
  if (E.isLeft(json)) throw new Error(json.left.expected)
  return json.right
}

describe.each(unets)('the folder %s of diffusers', (name) => {
  it('is read as a network that gives diffusers’ result', { timeout: 60_000 }, async () => {
    const { model, params, ignored } = await done(loadDiffusers(golden(name)))
    const io = await goldenTensors(`${name}/io.safetensors`)
    const labels = io.get('class_labels')
    const input = {
      x: nhwc(io.get('sample')),
      t: nhwc(io.get('timestep')),
      ...(labels !== undefined && { labels: tensor(Int32Array.from(labels.values)) }),
    }
    const found = await device.read(model.apply(params, input))
    expect(ignored).toEqual([])
    expect(relativeError(found, await device.read(nhwc(io.get('output'))))).toBeLessThan(1e-4)
  })

  it('is the same bytes when it is written and read again, in one file and in several', async () => {
    const before = await done(readModelFolder(golden(name)))
    const { params, config } = await done(loadDiffusers(golden(name)))
    const json = encodeDiffusersUnet2d(config, [16, 16])
    if (E.isLeft(json)) throw new Error(json.left.expected)
    expect(decodeDiffusersUnet2d(json.right)).toEqual(decodeDiffusersUnet2d(before.config))
    for (const maxBytes of [1e10, 100_000]) {
      const place = join(folder(), 'model')
      const tensors = new Map(await recordsOf(device, params, unet2dNames(params)))
      await done(writeModelFolder(place, { config: json.right, tensors, maxBytes }))
      const after = await done(readModelFolder(place))
      expect(bytesOf(after)).toEqual(bytesOf(before))
      expect(after.weights).toBe(
        join(place, `diffusion_pytorch_model.safetensors${maxBytes === 1e10 ? '' : '.index.json'}`),
      )
      expect(bytesOf(await done(readModelFolder(place)))).toEqual(bytesOf(before))
    }
  })
})

describe('a network of diffusers', () => {
  it('is found in the folder of a pipeline, and is told its classes as numbers', async () => {
    const place = folder({ 'model_index.json': '{}' })
    cpSync(golden('unet2d-scaleshift-class'), join(place, 'unet'), { recursive: true })
    const { model, params, config } = await done(loadDiffusers(place))
    const given = { x: zeros([2, 16, 16, 4]), t: tensor([1, 2]) }
    const one = (label: number) =>
      device.read(model.apply(params, { ...given, labels: tensor(Int32Array.of(label, label)) }))
    expect(config.conditions).toBeGreaterThan(1)
    expect(await one(0)).not.toEqual(await one(1))
  })

  it('is the same by the names of before 2023', async () => {
    const tensors = await smallTensors()
    const old: readonly (readonly [string, string])[] = [
      ['to_q', 'query'],
      ['to_k', 'key'],
      ['to_v', 'value'],
      ['to_out.0', 'proj_attn'],
    ]
    const renamed = new Map(
      [...tensors].map(
        ([name, record]) => [old.reduce((n, [now, then]) => n.replace(`.${now}.`, `.${then}.`), name), record] as const,
      ),
    )
    const [now, then] = [join(folder(), 'now'), join(folder(), 'then')]
    await done(writeModelFolder(now, { config: smallConfig(), tensors }))
    await done(writeModelFolder(then, { config: smallConfig(), tensors: renamed }))
    const results = await Promise.all(
      [now, then].map(async (place) => {
        const { model, params } = await done(loadDiffusers(place))
        return device.read(model.apply(params, { x: zeros([1, 8, 8, 3]).add(0.3), t: tensor([5]) }))
      }),
    )
    expect(results[1]).toEqual(results[0])
  })

  it('of halves is rounded to f32, with a variant’s name too', async () => {
    const tensors = await smallTensors()
    const halves = new Map(
      [...tensors].map(([name, { shape }]) => {
        const bytes = new Uint8Array(2 * shape.reduce((a, b) => a * b, 1)).fill(0x3c) // 0x3c3c is 1.05859375
        return [name, { dtype: 'f16', shape, bytes }] as const
      }),
    )
    const place = join(folder(), 'model')
    await done(writeModelFolder(place, { config: smallConfig(), tensors: halves }))
    const file = join(place, 'diffusion_pytorch_model.safetensors')
    cpSync(file, join(place, 'diffusion_pytorch_model.fp16.safetensors'))
    rmSync(file)
    const { params } = await done(loadDiffusers(place))
    expect((await device.read(params.stem.weight))[0]).toBe(1.05859375)
  })
})

describe('a folder that is none of diffusers', () => {
  const message = async (place: string): Promise<string> => leftMessage(await loadDiffusers(place)())
  const whole = async (): Promise<string> => {
    const place = join(folder(), 'model')
    await done(writeModelFolder(place, { config: smallConfig(), tensors: await smallTensors(), maxBytes: 20_000 }))
    return place
  }

  it('says what it lacks', async () => {
    expect(await message(folder())).toContain('config.json')
    expect(await message(folder({ 'config.json': 'no' }))).toContain('config.json is not JSON')
    expect(await message(folder({ 'notes.txt': '' }))).toContain('holds no config.json, by which diffusers says')
    expect(await message(folder({ 'config.json': '[]' }))).toContain('holds no record of settings')
    const settings = JSON.stringify(smallConfig())
    expect(await message(folder({ 'config.json': settings }))).toContain(
      'holds no weights: there is no diffusion_pytorch_model.safetensors',
    )
  })

  it('of a network that is told tokens is read with them', { timeout: 60_000 }, async () => {
    const config = {
      _class_name: 'UNet2DConditionModel',
      sample_size: 8,
      in_channels: 3,
      out_channels: 3,
      block_out_channels: [8, 8],
      layers_per_block: 1,
      down_block_types: ['CrossAttnDownBlock2D', 'DownBlock2D'],
      up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D'],
      cross_attention_dim: 5,
      attention_head_dim: 2,
      norm_num_groups: 4,
    }
    const decoded = decodeDiffusersUnet2d(config)
    if (E.isLeft(decoded)) throw new Error(JSON.stringify(decoded.left))
    const network = unet2d({ ...decoded.right.settings, channels: 3 })
    const params = network.init(key(5))
    const place = folder({})
    await done(
      writeModelFolder(place, { config, tensors: new Map(await recordsOf(device, params, unet2dNames(params))) }),
    )
    const { model, params: read } = await done(loadDiffusers(place))
    const [input, tokens] = [{ x: ones([1, 8, 8, 3]), t: tensor([500]) }, ones([1, 4, 5])]
    const said = await device.read(model.apply(read, { ...input, tokens }))
    expect(said).toEqual(await device.read(network.apply(params, { ...input, tokens })))
    expect(() => model.apply(read, input)).toThrow('tokens')
  })

  it('that holds a pickle says by which line of Python it is converted', async () => {
    const files = { 'config.json': JSON.stringify(smallConfig()), 'diffusion_pytorch_model.bin': 'x' }
    expect(await message(folder(files))).toMatch(
      /diffusion_pytorch_model\.bin is a pickle[^]*python3 -c "import torch; .*save_file/,
    )
  })

  it('says which setting is not built here, and of what other network it is', async () => {
    const settings = { ...smallConfig(), down_block_types: ['KDownBlock2D', 'DownBlock2D'] }
    const place = await whole()
    writeFileSync(join(place, 'config.json'), JSON.stringify(settings))
    expect(await message(place)).toMatch(/config\.json: down_block_types must be a list of DownBlock2D/)
    writeFileSync(join(place, 'config.json'), JSON.stringify({ ...smallConfig(), _class_name: 'UNet1DModel' }))
    expect(await message(place)).toMatch(
      /config\.json is of a "UNet1DModel", and not of a UNet2DModel or a UNet2DConditionModel/,
    )
  })

  it('refuses an index that names files elsewhere, tensors that are not there, or none', async () => {
    const place = await whole()
    const index = join(place, 'diffusion_pytorch_model.safetensors.index.json')
    const written = JSON.parse(readFileSync(index, 'utf8')) as { readonly weight_map: Readonly<Record<string, string>> }
    const refused = async (map: unknown): Promise<string> => {
      writeFileSync(index, JSON.stringify({ weight_map: map }))
      return message(place)
    }
    expect(await refused({ a: '../../secret.safetensors' })).toContain('names files that cannot lie beside it')
    expect(await refused({ a: 3 })).toContain('names files that cannot lie beside it')
    expect(await refused({})).toContain('names no tensors')
    expect(await refused([])).toContain('names no tensors')
    expect(await refused({ ...written.weight_map, ghost: Object.values(written.weight_map)[0] })).toContain(
      "names 'ghost'",
    )
    cpSync(join(place, Object.values(written.weight_map)[0] ?? ''), join(place, 'twice.safetensors'))
    expect(await refused({ ...written.weight_map, again: 'twice.safetensors' })).toContain('in two of its files')
  })

  it('in which bytes are changed gives an error or a network, and nothing else', { timeout: hour }, async () => {
    const place = await whole()
    const names = [
      'config.json',
      'diffusion_pytorch_model.safetensors.index.json',
      ...readdirSync(place).filter((name) => name.startsWith('diffusion_pytorch_model-00001')),
    ]
    const files = new Map(names.map((name) => [name, readFileSync(join(place, name))]))
    const change = fc.record({ at: fc.nat(400), to: fc.nat(255), cut: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        async (name, changes) => {
          const bytes = Buffer.from(files.get(name) ?? Buffer.alloc(0))
          for (const { at, to } of changes) bytes[at % bytes.length] = to
          writeFileSync(join(place, name), changes.some(({ cut }) => cut) ? bytes.subarray(0, changes[0]?.at) : bytes)
          const read = await loadDiffusers(place)()
          writeFileSync(join(place, name), files.get(name) ?? '')
          expect(E.isLeft(read) ? typeof read.left.message : typeof read.right.model.apply).toMatch(/string|function/)
        },
      ),
      { numRuns: promised ? 40_000 : 300 },
    )
  })

  it('in which settings are anything gives an error or a network, and nothing else', { timeout: hour }, async () => {
    const place = await whole()
    const config = join(place, 'config.json')
    const settings = JSON.parse(readFileSync(config, 'utf8')) as Readonly<Record<string, unknown>>
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom(0, -1, 1e9, 2 ** 53, 0.5, null, true, '', 'DownBlock2D', [], [8], [1e6, 1e6], { a: 1 }),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(...Object.keys(settings)), value), { minLength: 1, maxLength: 3 }),
        async (changes) => {
          writeFileSync(config, JSON.stringify({ ...settings, ...Object.fromEntries(changes) }))
          const read = await loadDiffusers(place)()
          expect(E.isLeft(read) ? typeof read.left.message : typeof read.right.model.apply).toMatch(/string|function/)
        },
      ),
      { numRuns: promised ? 10_000 : 200 },
    )
  })
})
