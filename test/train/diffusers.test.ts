/** Runs that are made of diffusers' folders, and folders that are made of runs. */
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readModelFolder, recordsOf, writeModelFolder } from '../../src/io/index.ts'
import { decodeDiffusersAutoencoder, encodeDiffusersUnet2d, unet2d, unet2dNames } from '../../src/models/index.ts'
import { E } from '../../src/prelude/fp.ts'
import { key } from '../../src/tensor/random.ts'
import { exportDiffusers, importDiffusers, load, resume, sample, train } from '../../src/train/index.ts'
import {
  decodeDiffusersScheduler,
  encodeDiffusersScheduler,
  type ScheduledNoise,
} from '../../src/train/tasks/diffusion/diffusersScheduler.ts'
import { scheduleOf } from '../../src/train/tasks/diffusion/noiseSchedule.ts'
import { isChain } from '../../src/diffusion/index.ts'
import { cpuDevice } from '../support/device.ts'
import { withCacheHome } from '../support/cacheHome.ts'
import { temporaryFolders } from '../support/temporaryFolder.ts'
import { directories, done, leftMessage, photographs, tinyConfig } from './tinyRun.ts'

const folder = temporaryFolders()
withCacheHome(folder)
const directory = directories()
const device = cpuDevice()
const golden = (name: string): string => fileURLToPath(new URL(`../golden/${name}`, import.meta.url))

const bytesIn = async (place: string): Promise<ReadonlyMap<string, string>> =>
  new Map(
    [...(await done(readModelFolder(place))).tensors]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { shape, bytes }]) => [name, `${shape.join('×')} ${Buffer.from(bytes).toString('base64')}`]),
  )

/** A pipeline on the latents of the golden autoencoder: 2×2 of 4 channels for pictures of 4×4… as large as the network allows. */
const latentPipeline = async (vae = 'autoencoderkl'): Promise<string> => {
  const place = folder({
    'model_index.json': JSON.stringify({
      unet: ['diffusers', 'UNet2DModel'],
      scheduler: ['diffusers', 'DDIMScheduler'],
      vae: ['diffusers', 'AutoencoderKL'],
    }),
    'scheduler/scheduler_config.json': JSON.stringify({
      _class_name: 'DDIMScheduler',
      beta_schedule: 'scaled_linear',
      beta_start: 0.0015,
      beta_end: 0.0195,
      num_train_timesteps: 100,
    }),
  })
  const options = { channels: 4, widths: [8, 8], layers: 1, groups: 4 } as const
  const params = unet2d(options).init(key(1))
  const config = encodeDiffusersUnet2d(options, [4, 4])
  if (E.isLeft(config)) throw new Error(config.left.expected)
  const tensors = new Map(await recordsOf(device, await device.realize(params), unet2dNames(params)))
  await done(writeModelFolder(join(place, 'unet'), { config: config.right, tensors }))
  cpSync(golden(vae), join(place, 'vae'), { recursive: true })
  return place
}

describe('a network of diffusers', () => {
  it('becomes a run that is drawn from, and a folder with the same bytes again', async () => {
    const [run, out] = [directory(), join(folder(), 'out')]
    const { config, warnings } = await done(importDiffusers(golden('unet2d-attn'), { out: run }))
    expect(config).toMatchObject({
      height: 16,
      width: 16,
      objective: 'epsilon',
      schedule: 'linear',
      betas: [0.0001, 0.02],
      timesteps: 1000,
      model: { kind: 'unet2d', widths: [32, 64] },
    })
    expect(warnings.join()).toMatch(/says nothing of its noise/)
    const loaded = await done(load(run))
    expect(loaded.step).toBe(1)
    const { pictures } = await done(sample(loaded, { count: 1, steps: 1, seed: 0, device: 'wasm' }))
    expect(pictures[0]?.length).toBe(16 * 16 * 3)
    await done(exportDiffusers(loaded, out))
    expect(await bytesIn(join(out, 'unet'))).toEqual(await bytesIn(golden('unet2d-attn')))
    expect(JSON.parse(readFileSync(join(out, 'model_index.json'), 'utf8'))).toEqual({
      _class_name: 'DDIMPipeline',
      _diffusers_version: '0.27.2',
      scheduler: ['diffusers', 'DDIMScheduler'],
      unet: ['diffusers', 'UNet2DModel'],
    })
    const again = await done(importDiffusers(out, { out: directory() }))
    expect({ ...again.config, out: '', folder: '' }).toEqual({ ...config, out: '', folder: '' })
    expect(again.warnings).toEqual([])
  })

  it('with classes has them as labels', async () => {
    const run = directory()
    const { config } = await done(importDiffusers(golden('unet2d-scaleshift-class'), { out: run }))
    const { labels = [] } = config
    expect(labels.slice(0, 2)).toEqual(['class 0', 'class 1'])
    const loaded = await done(load(run))
    const drawn = async (label: string) => {
      const { pictures } = await done(sample(loaded, { count: 1, steps: 1, seed: 0, device: 'wasm', label }))
      return pictures
    }
    expect(await drawn('class 0')).not.toEqual(await drawn('class 1'))
  })

  it('is trained on by resume, on photographs', async () => {
    const [run, photos] = [directory(), photographs(directory(), 40)]
    await done(importDiffusers(golden('unet2d-ddpm-style'), { out: run }))
    const summary = await done(resume(run, {}, { folder: photos, steps: 2, device: 'wasm' }))
    expect([summary.step, summary.interrupted]).toEqual([2, false])
  })

  it('is refused where a run lies, where its size is not said, and by the settings that are not built here', async () => {
    const run = directory()
    await done(importDiffusers(golden('unet2d-attn'), { out: run }))
    expect(leftMessage(await importDiffusers(golden('unet2d-attn'), { out: run })())).toContain('holds a run already')
    const place = folder()
    cpSync(golden('unet2d-attn'), place, { recursive: true })
    const settings = JSON.parse(readFileSync(join(place, 'config.json'), 'utf8')) as Readonly<Record<string, unknown>>
    const refused = async (changes: Readonly<Record<string, unknown>>): Promise<string> => {
      const out = directory()
      writeFileSync(join(place, 'config.json'), JSON.stringify({ ...settings, ...changes }))
      const message = leftMessage(await importDiffusers(place, { out })())
      expect(existsSync(out), 'nothing is left').toBe(false)
      return message
    }
    expect(await refused({ sample_size: null })).toContain('name it with --size')
    expect(await refused({ out_channels: 6 })).toContain('out_channels must be in_channels')
    expect(await refused({ time_embedding_type: 'fourier' })).toContain('time')
    expect(await refused({ _class_name: 'UNet3DConditionModel' })).toContain('only UNet2DModel')
    writeFileSync(join(place, 'config.json'), JSON.stringify({ ...settings, sample_size: null }))
    const sized = await done(importDiffusers(place, { out: directory(), height: 8, width: 16 }))
    expect([sized.config.height, sized.config.width]).toEqual([8, 16])
  })
})

describe('a pipeline', () => {
  it('of which a part is missing, or that has no network without a text, is refused, and nothing is left', async () => {
    const refused = async (index: string): Promise<string> => {
      const place = folder({ 'model_index.json': index })
      cpSync(golden('unet2d-attn'), join(place, 'unet'), { recursive: true })
      const out = directory()
      const message = leftMessage(await importDiffusers(place, { out })())
      expect(existsSync(out)).toBe(false)
      return message
    }
    const unet = ['diffusers', 'UNet2DModel']
    expect(await refused(JSON.stringify({ unet, vqvae: ['diffusers', 'VQModel'] }))).toContain(
      'names vqvae, and there is no such folder',
    )
    expect(await refused(JSON.stringify({ transformer: unet }))).toContain('names no unet')
    expect(await refused('{')).toContain('model_index.json is not JSON')
  })

  it('of a run that was told changes of pictures has its classes alone', async () => {
    const [run, out] = [directory(), join(folder(), 'out')]
    const model = { kind: 'unet2d', widths: [8, 8], layers: 1, headWidth: 8, groups: 4 } as const
    const told = { labels: ['boat', 'bridge'], augment: 0.2, flip: false } as const
    await done(train(tinyConfig(run, { ...told, model: { ...model, conditions: 7 }, steps: 1, device: 'wasm' })))
    await done(exportDiffusers(await done(load(run)), out))
    const { config, tensors } = await done(readModelFolder(join(out, 'unet')))
    expect([config['num_class_embeds'], tensors.get('class_embedding.weight')?.shape]).toEqual([2, [2, 32]])
    const again = await done(importDiffusers(out, { out: directory() }))
    expect(again.config.labels).toEqual(['class 0', 'class 1'])
  })
})

describe('a pipeline on latents', () => {
  it.each(['autoencoderkl', 'vqmodel'] as const)('keeps its autoencoder, %s, and gives both out again', async (vae) => {
    const [pipeline, run, out] = [await latentPipeline(vae), directory(), join(folder(), 'out')]
    if (vae === 'vqmodel') {
      const json = JSON.parse(readFileSync(join(pipeline, 'vae/config.json'), 'utf8')) as Readonly<
        Record<string, unknown>
      >
      const decoded = decodeDiffusersAutoencoder(json)
      if (E.isLeft(decoded)) throw new Error(decoded.left.expected)
      const channels = Number(json['vq_embed_dim'] ?? json['latent_channels'])
      if (channels !== 4)
        return expect(leftMessage(await importDiffusers(pipeline, { out: run })())).toContain(
          `latents of ${channels} channels`,
        )
    }
    const { config } = await done(importDiffusers(pipeline, { out: run }))
    expect(config).toMatchObject({
      height: 8,
      width: 8,
      schedule: 'scaled-linear',
      betas: [0.0015, 0.0195],
      timesteps: 100,
    })
    const loaded = await done(load(run))
    const { pictures } = await done(sample(loaded, { count: 2, steps: 2, seed: 0, device: 'wasm' }))
    expect(pictures[0]?.length).toBe(8 * 8 * 3)
    await done(exportDiffusers(loaded, out))
    expect(await bytesIn(join(out, 'unet'))).toEqual(await bytesIn(join(pipeline, 'unet')))
    expect(await bytesIn(join(out, 'vqvae'))).toEqual(await bytesIn(join(pipeline, 'vae')))
    const written = JSON.parse(readFileSync(join(out, 'vqvae/config.json'), 'utf8')) as unknown
    const theirs = JSON.parse(readFileSync(join(pipeline, 'vae/config.json'), 'utf8')) as unknown
    expect(decodeDiffusersAutoencoder(written)).toEqual(decodeDiffusersAutoencoder(theirs))
    expect(JSON.parse(readFileSync(join(out, 'model_index.json'), 'utf8'))).toMatchObject({
      _class_name: 'LDMPipeline',
    })
  })
})

describe('a run that diffusers cannot hold', () => {
  it('is refused with the setting that says so, and nothing is written', async () => {
    const [run, out] = [directory(), join(folder(), 'out')]
    await done(train(tinyConfig(run, { steps: 1, device: 'wasm' })))
    const message = leftMessage(await exportDiffusers(await done(load(run)), out)())
    expect(message).toContain('diffusers has no network like this run’s'.replace('’', "'"))
    expect(existsSync(out)).toBe(false)
  })

  it('or a folder that is not empty', async () => {
    const run = directory()
    await done(importDiffusers(golden('unet2d-attn'), { out: run }))
    const full = folder({ 'a.txt': 'mine' })
    expect(leftMessage(await exportDiffusers(await done(load(run)), full)())).toContain('not empty')
  })
})

describe('the noise of a scheduler', () => {
  const noises: fc.Arbitrary<ScheduledNoise> = fc.oneof(
    fc.record({
      objective: fc.constantFrom('epsilon' as const, 'x0' as const, 'v' as const),
      schedule: fc.constantFrom('linear' as const, 'scaled-linear' as const, 'sigmoid-beta' as const),
      betas: fc.tuple(
        fc.double({ min: 1e-5, max: 0.01, noNaN: true }),
        fc.double({ min: 0.011, max: 0.05, noNaN: true }),
      ),
      timesteps: fc.integer({ min: 50, max: 2000 }),
    }),
    fc.record({
      objective: fc.constantFrom('epsilon' as const, 'x0' as const, 'v' as const),
      schedule: fc.constantFrom('cosine' as const, 'laplace' as const, 'exponential' as const),
      timesteps: fc.integer({ min: 50, max: 2000 }),
    }),
  )

  it('is the same when it is written and read again', () => {
    fc.assert(
      fc.property(noises, (noise) => {
        const json = encodeDiffusersScheduler(noise, undefined)
        if (E.isLeft(json)) throw new Error(json.left.expected)
        expect(decodeDiffusersScheduler(JSON.parse(JSON.stringify(json.right)))).toEqual(E.right(noise))
      }),
    )
  })

  it('that is not named has the ends that the run has, whatever its times', () => {
    for (const schedule of ['linear', 'scaled-linear', 'sigmoid-beta'] as const)
      for (const timesteps of [50, 1000]) {
        const noise = { objective: 'v', schedule, timesteps } as const
        const json = encodeDiffusersScheduler(noise, undefined)
        const again = E.isRight(json) ? decodeDiffusersScheduler(json.right) : json
        if (E.isLeft(again)) throw new Error(again.left.expected)
        const [before, after] = [scheduleOf(noise), scheduleOf(again.right)]
        after.signal.forEach((a, t) => expect(a).toBeCloseTo(before.signal[t] ?? NaN, 12))
      }
  })

  it('that has no name there is written as its β, by which it is known again', () => {
    for (const noise of [
      { objective: 'v', schedule: 'sigmoid', timesteps: 100 },
      { objective: 'v', schedule: 'cosine', timesteps: 100, shift: 2 },
      { objective: 'x0', schedule: 'linear', timesteps: 200, shift: 1.5 },
    ] as const) {
      const schedule = scheduleOf(noise)
      if (!isChain(schedule)) throw new Error('it is a chain')
      const json = encodeDiffusersScheduler(noise, schedule.betas)
      if (E.isLeft(json)) throw new Error(json.left.expected)
      expect(json.right['trained_betas']).toEqual([...schedule.betas])
      expect(decodeDiffusersScheduler(json.right)).toEqual(E.right(noise))
    }
  })

  it.each([
    { objective: 'flow', schedule: 'flow', timesteps: 50 },
    { objective: 'flow', schedule: 'cosine', timesteps: 50 },
  ] as const)('of a flow is not written: %j', (noise) => {
    expect(E.isLeft(encodeDiffusersScheduler(noise, undefined))).toBe(true)
  })

  it.each<readonly [unknown, string]>([
    [{ _class_name: 'EDMEulerScheduler' }, '_class_name'],
    [{ trained_betas: [0.1, 0.2] }, 'trained_betas'],
    [{ variance_type: 'learned_range' }, 'variance_type'],
    [{ beta_schedule: 'cubic' }, 'beta_schedule'],
    [{ prediction_type: 'score' }, 'prediction_type'],
    [{ prediction_type: 'flow_prediction' }, 'prediction_type'],
    [{ trained_betas: [] }, 'trained_betas'],
    [{ _class_name: 'FlowMatchEulerDiscreteScheduler', shift: 3 }, '_class_name'],
  ])('is refused by its setting: %j', (json, path) => {
    const found = decodeDiffusersScheduler(json)
    expect(E.isLeft(found) && found.left.inside?.path).toBe(path)
  })

  it('that is stretched is taken over', () => {
    expect(decodeDiffusersScheduler({ rescale_betas_zero_snr: true, prediction_type: 'v_prediction' })).toEqual(
      E.right({ objective: 'v', schedule: 'linear', betas: [0.0001, 0.02], timesteps: 1000, zeroTerminal: true }),
    )
  })
})
