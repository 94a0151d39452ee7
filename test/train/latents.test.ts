/** Runs on the latents of an autoencoder. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { describe, expect, it } from 'vitest'
import { encodePng, readSafetensorsFile, replaceFile } from '../../src/io/index.ts'
import { seas } from '../../src/data/index.ts'
import {
  autoencoderDefaults,
  autoencoderOf,
  type AutoencoderConfig,
  type LatentScaling,
} from '../../src/models/index.ts'
import { range } from '../../src/prelude/array.ts'
import { key } from '../../src/tensor/random.ts'
import { tensor } from '../../src/tensor/create.ts'
import {
  encodePictures,
  load,
  loadAutoencoder,
  resume,
  sample,
  train,
  type DiffusionRun,
  type TrainEvent,
} from '../../src/train/index.ts'
import { encodeAutoencoder } from '../../src/train/tasks/autoencoder/trainedAutoencoder.ts'
import { spaceOf } from '../../src/train/tasks/diffusion/space.ts'
import { cpuDevice } from '../support/device.ts'
import { filesOf } from './lossOfDevice.ts'
import { directories, done, leftMessage, right, tinyConfig } from './tinyRun.ts'
import { withCacheHome } from '../support/cacheHome.ts'

const directory = directories()

type Told = (event: TrainEvent) => void

const small = (changes: object = {}): AutoencoderConfig =>
  ({
    ...autoencoderDefaults('kl'),
    widths: [4, 8],
    layers: 1,
    groups: 2,
    latentChannels: 2,
    ...changes,
  }) as AutoencoderConfig

const usualScaling: LatentScaling = { factor: 1, mean: [0.1, -0.2], deviation: [0.5, 2] }

/** The file of an autoencoder that nobody has trained. */
const autoencoderFile = async (config = small(), seed = 0, scaling = usualScaling): Promise<string> => {
  const device = cpuDevice()
  const file = await autoencoderOf(config)(({ autoencoder: { encoder, decoder } }) =>
    encodeAutoencoder(
      device,
      { config, scaling },
      { encoder: encoder.init(key(seed)), decoder: decoder.init(key(seed + 1)) },
    ),
  )
  const path = `${directory()}.safetensors`
  right(await replaceFile(path, file)())
  return path
}

const photographs = async (count: number): Promise<string> => {
  const folder = directory()
  mkdirSync(folder)
  const sea = seas({ seed: 5, size: 8 })
  for (const i of range(count))
    writeFileSync(join(folder, `${i}.png`), encodePng({ width: 8, height: 8, channels: 3, pixels: sea.image(i) }))
  return folder
}

const latentConfig = async (out: string, file: string, changes: Partial<DiffusionRun> = {}): Promise<DiffusionRun> => {
  const { latentChannels: channels, factor, fingerprint } = await done(loadAutoencoder(file))
  return tinyConfig(out, { latent: { channels, factor, autoencoder: fingerprint, from: file }, ...changes })
}

withCacheHome(directory)

describe('the space of latents', () => {
  it('holds both sides of a picture, of which one is taken', async () => {
    const { shape, x0, example } = spaceOf({ height: 8, width: 8, latent: { channels: 1, factor: 4 } })
    expect(shape).toEqual([2, 2, 1])
    expect(example).toEqual({ shape: [2, 2, 2, 1], dtype: 'f32' })
    const examples = tensor(Float32Array.from(range(16)), { shape: [2, 2, 2, 2, 1] })
    const device = cpuDevice()
    expect([...(await device.read(x0(examples, tensor([false, true], { dtype: 'bool' }))))]).toEqual([
      0, 1, 2, 3, 12, 13, 14, 15,
    ])
    expect([...(await device.read(x0(examples)))]).toEqual([0, 1, 2, 3, 8, 9, 10, 11])
  })
})

describe('a run on latents', () => {
  it('trains, keeps its autoencoder, and is drawn from at the size of the pictures', async () => {
    const [out, file] = [directory(), await autoencoderFile()]
    const watched = { folder: await photographs(12), watch: 'on', sampleEvery: 6 } as const
    const summary = await done(train(await latentConfig(out, file, watched)))
    expect(summary).toMatchObject({ step: 6, interrupted: false })
    // What is watched are pictures, which are compared with the photographs themselves.
    const metrics = readFileSync(join(out, 'metrics.jsonl'), 'utf8').trim().split('\n')
    expect(JSON.parse(metrics.at(-1) ?? '')).toMatchObject({ step: 6, drawn: 16, copies: 0 })
    expect(readFileSync(join(out, 'autoencoder.safetensors'))).toEqual(readFileSync(file))
    rmSync(file)
    const { pictures, height } = await done(sample(await done(load(out)), { count: 2, steps: 2, seed: 0 }))
    expect([height, ...pictures.map((picture) => picture.length)]).toEqual([8, 192, 192])
  })

  it('sees latents on the scale that the autoencoder says', async () => {
    const [out, file] = [directory(), await autoencoderFile()]
    const config = await latentConfig(out, file, { folder: await photographs(3), steps: 1 })
    await done(train(config))
    const cache = join(process.env['XDG_CACHE_HOME'] ?? '', 'fathom', 'latents')
    const [found] = (await import('node:fs')).readdirSync(cache).slice(-1)
    expect(found).toMatch(/^[0-9a-f]{32}\.safetensors$/)
    const { tensors } = right(await readSafetensorsFile(join(cache, found ?? ''))())
    expect(tensors.get('latents')?.shape.slice(1)).toEqual([2, 4, 4, 2])
  })

  it('that was stopped goes on bit for bit, from its own copy of the autoencoder', async () => {
    const [file, folder] = [await autoencoderFile(), await photographs(12)]
    const [once, twice] = [directory(), directory()]
    await done(train(await latentConfig(once, file, { folder })))
    const stop = new AbortController()
    const config = await latentConfig(twice, file, { folder })
    const [told, again]: readonly [string[], string[]] = [[], []]
    const warned =
      (warnings: string[]): Told =>
      (event) => {
        if (event._tag === 'Warning') warnings.push(event.message)
        if (event._tag === 'Stepped') stop.abort()
      }
    await done(train(config, { signal: stop.signal, onEvent: warned(told) }))
    rmSync(file)
    await done(resume(twice, { onEvent: warned(again) }))
    // Nobody has trained this autoencoder: that is said before the first step, and once.
    const useless = expect.stringMatching(
      /^the autoencoder keeps less of these pictures \(-?[0-9.]+ dB on 1 held out\) than a linear code/u,
    )
    expect(told).toContainEqual(useless)
    expect(again).not.toContainEqual(useless)
    const [a, b] = [filesOf(once), filesOf(twice)]
    expect(Object.keys(b)).toEqual(Object.keys(a))
    for (const name of Object.keys(a).filter((path) => path.includes('step-000006'))) expect(b[name]).toBe(a[name])
  })

  it('works on procedural seas too', async () => {
    const out = directory()
    const config = await latentConfig(out, await autoencoderFile(), { steps: 1 })
    expect((await done(train(config))).step).toBe(1)
  })
})

describe('latents that were kept', () => {
  it('are encoded again where the file is not as it was written', async () => {
    const [folder, file] = [await photographs(3), await autoencoderFile()]
    const encode = () => done(encodePictures({ folder, autoencoder: file, height: 8, width: 8, device: 'cpu' }))
    const first = await encode()
    expect(first.found).toBe(false)
    expect((await encode()).found).toBe(true)
    const kept = first.file ?? ''
    const written = readFileSync(kept)
    for (const value of [NaN, 0, 1e30]) {
      const spoilt = Buffer.from(written)
      spoilt.writeFloatLE(value, spoilt.length - 8)
      writeFileSync(kept, spoilt)
      const again = await encode()
      expect([again.found, again.mean]).toEqual([false, first.mean])
      expect(readFileSync(kept).equals(written)).toBe(true)
    }
  })
})

describe('the autoencoder of a run', () => {
  it('that is another is refused when it goes on', async () => {
    const out = directory()
    const config = await latentConfig(out, await autoencoderFile(), { folder: await photographs(3), steps: 2 })
    await done(train(config))
    writeFileSync(join(out, 'autoencoder.safetensors'), readFileSync(await autoencoderFile(small(), 7)))
    expect(leftMessage(await resume(out, {}, { steps: 4 })())).toMatch(
      /is another autoencoder than the one whose latents the run is trained on/,
    )
    expect(leftMessage(await load(out)())).toMatch(/is another autoencoder/)
  })

  it('that takes other channels than the pictures have is refused before anything is written', async () => {
    const out = directory()
    const config = await latentConfig(out, await autoencoderFile(small({ channels: 1 })), {
      folder: await photographs(3),
    })
    expect(leftMessage(await train(config)())).toBe(
      'the pictures have 3 channels, and the variational autoencoder takes 1: choose --channels 1, or another autoencoder',
    )
  })

  it.each<readonly [string, LatentScaling]>([
    ['by 0', { factor: 0 }],
    ['by means of fewer channels', { factor: 1, mean: [0] }],
    ['by deviations of 0', { factor: 1, deviation: [1, 0] }],
    ['by deviations below 0', { factor: 1, deviation: [-1, 1] }],
    ['by no number', { factor: NaN }],
  ])('that scales its latents %s is refused', async (_, scaling) => {
    expect(leftMessage(await loadAutoencoder(await autoencoderFile(small(), 0, scaling))())).toMatch(
      /it does not say how its latents are scaled: by a factor that is not 0/u,
    )
  })

  it.each([
    [
      'nothing',
      () => Promise.resolve('no/such/place'),
      /no\/such\/place is not there: name a run of `fathom train-vae`/,
    ],
    [
      'a folder of something else',
      () => photographs(1),
      /holds no trained autoencoder: name a run of `fathom train-vae`/,
    ],
  ])('is not found in %s, and the error says what to name', async (_, place, message) => {
    expect(leftMessage(await loadAutoencoder(await place())())).toMatch(message)
  })
})
