/** Runs that train an autoencoder: what they train on, what they measure, show and keep, and that they resume bit for bit. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PNG } from 'pngjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { dataOfSeas, linearProjectionQuality, psnr, type TrainingData } from '../../../../src/data/index.ts'
import { readSafetensors } from '../../../../src/io/index.ts'
import { tensor } from '../../../../src/tensor/create.ts'
import { openDevice } from '../../../../src/tensor/device.ts'
import {
  autoencoderConfigOf,
  reconstruct,
  resume,
  train,
  type AutoencoderRun,
  type TrainEvent,
} from '../../../../src/train/index.ts'
import { range } from '../../../../src/prelude/array.ts'
import { cropsAt } from '../../../../src/train/tasks/autoencoder/crops.ts'
import { scalingOf } from '../../../../src/train/tasks/autoencoder/latentScale.ts'
import { loadAutoencoder } from '../../../../src/train/tasks/autoencoder/loadAutoencoder.node.ts'
import { autoencoderTask } from '../../../../src/train/tasks/autoencoder/autoencoderTask.ts'
import { fingerprints, metricSteps } from '../../runFiles.ts'
import { directories, done, leftMessage, right } from '../../tinyRun.ts'
import { built, tinyAutoencoder } from './tinyAutoencoder.ts'

const directory = directories()

/** Pictures of 6×8 whose pixels say which picture, row and column they are of. */
const coordinates: TrainingData = {
  name: 'coordinates',
  height: 6,
  width: 8,
  channels: 3,
  count: 50,
  picture: (i) =>
    Uint8Array.from(range(6 * 8 * 3), (p) => [i % 50, Math.floor(p / 24), Math.floor(p / 3) % 8][p % 3] ?? 0),
  heldOutCount: 1,
  heldOut: () => new Uint8Array(6 * 8 * 3),
}

describe('the crops of a configuration', () => {
  const sized = (side: number, more: object = {}) =>
    autoencoderConfigOf({ out: 'r', height: side, width: side, ...more })

  it('are the preset’s, and no larger than the pictures', () => {
    expect(right(sized(64)).crop).toBe(32)
    expect(right(sized(16)).crop).toBe(16)
  })

  it('that are named, or that no picture has room for, are refused', () => {
    expect(leftMessage(sized(64, { crop: 30 }))).toBe('crop must be a multiple of 16, from 16 to 64, got 30')
    expect(leftMessage(sized(8))).toBe(
      'image size 8 is too small for crops of which this autoencoder can learn: they have a side of 16 at least',
    )
  })

  it('that are smaller than a patch have no adversary, unless one is named, which is refused', () => {
    const autoencoder = { widths: [4, 4], latentChannels: 2, groups: 2 }
    const tiny = { preset: 'vae-128', crop: 8, autoencoder }
    expect(right(sized(16, { preset: 'vae-128' })).weights.adversary).toBe(0.5)
    expect(right(sized(16, tiny)).weights).toEqual({ pyramid: 0.75, kl: 1e-4, equivariance: 0.25, adversary: 0 })
    expect(right(sized(16, { ...tiny, adversary: { layers: 1 } })).weights.adversary).toBe(0.5)
    expect(leftMessage(sized(16, { ...tiny, weights: { adversary: 0.5 } }))).toBe(
      'crop must be a multiple of 8, from 16 to 16, got 8',
    )
    expect(leftMessage(sized(64, { crop: 16, adversary: { layers: 3 }, weights: { adversary: 0.5 } }))).toBe(
      'crop must be a multiple of 16, from 32 to 64, got 16',
    )
  })
})

describe('crops', () => {
  const crop = (seed: number, i: number): Uint8Array => cropsAt(coordinates, seed, 4, i, 1)

  it('are whole squares of the picture of their number', () => {
    for (const i of range(30)) {
      const bytes = crop(0, i)
      const [picture = -1, top = -1, left = -1] = bytes
      expect(picture).toBe(i)
      const expected = range(16).flatMap((p) => [i, top + Math.floor(p / 4), left + (p % 4)])
      expect(Array.from(bytes)).toEqual(expected)
    }
  })

  it('come from every place where they fit, and from no other', () => {
    const places = range(400).map((i) => Array.from(crop(0, i).subarray(1, 3)).join())
    expect([...new Set(places)].toSorted()).toEqual(
      range(3)
        .flatMap((y) => range(5).map((x) => `${y},${x}`))
        .toSorted(),
    )
  })

  it('are a function of seed and number, however they are asked for', () => {
    const many = cropsAt(coordinates, 7, 4, 10, 5)
    for (const i of range(5)) expect(many.subarray(48 * i, 48 * (i + 1))).toEqual(crop(7, 10 + i))
    expect(range(20).some((i) => crop(7, i).join() !== crop(8, i).join())).toBe(true)
    expect(cropsAt(coordinates, 0, 4, 2 ** 40, 1)).toEqual(cropsAt(coordinates, 0, 4, 2 ** 40, 1))
  })
})

describe('what was measured, in words', () => {
  it('stands beside the line that a linear code reaches', () => {
    const config = tinyAutoencoder('unused')
    const measuredInWords = built(config, (family) => autoencoderTask(config, family).words.measured)
    expect(measuredInWords({ psnr: 26.14, linearPsnr: 24.9, ssim: 0.8123 })).toEqual([
      'held-out 26.1 dB',
      'held-out 26.1 dB, +1.2 over a linear code',
      'held-out 26.1 dB, +1.2 over a linear code, similarity 0.812',
    ])
    expect(measuredInWords({ psnr: 20, linearPsnr: 24.9 })).toEqual([
      'held-out 20.0 dB',
      'held-out 20.0 dB, −4.9 over a linear code',
    ])
    expect(measuredInWords({})).toEqual([])
  })
})

describe('the scale of latents', () => {
  it('is the mean and the deviation of each channel, and of a channel that says nothing its own', () => {
    const found = scalingOf([Float32Array.of(1, 10, 5, 3, 20, 5), Float32Array.of(5, 30, 5)], 3)
    expect(found.mean).toEqual([3, 20, 5])
    expect(found.deviation?.map((s) => s.toFixed(4))).toEqual([
      Math.sqrt(8 / 3).toFixed(4),
      Math.sqrt(200 / 3).toFixed(4),
      '1.0000',
    ])
    expect(found.factor).toBe(1)
  })
})

/** Trains until a step is done, as Ctrl-C would stop it. */
const trainUntil = async (config: AutoencoderRun, step: number): Promise<void> => {
  const controller = new AbortController()
  const onEvent = (event: TrainEvent): void => {
    if (event._tag === 'Stepped' && event.step === step) controller.abort()
  }
  expect(await done(train(config, { onEvent, signal: controller.signal }))).toMatchObject({ interrupted: true, step })
}

const full = {
  weights: { equivariance: 0.25, adversary: 0.5 },
  adversary: { from: 0.5 },
  heldOutEvery: 3,
  sampleEvery: 6,
} as const

describe('a run', () => {
  const whole = directory()
  beforeAll(async () => {
    await done(train(tinyAutoencoder(whole, full)))
  })

  it.each([2, 4])(
    'ends with the same bits when it was stopped after step %i, before and after the adversary came',
    async (step) => {
      const run = directory()
      await trainUntil(tinyAutoencoder(run, full), step)
      expect(await done(resume(run))).toMatchObject({ step: 6, interrupted: false })
      expect(fingerprints(run, 'step-000006')).toEqual(fingerprints(whole, 'step-000006'))
      expect(metricSteps(run)).toEqual([1, 2, 3, 4, 5, 6])
      for (const file of ['samples/step-000006.png', 'autoencoder.safetensors'])
        expect(readFileSync(join(run, file)).equals(readFileSync(join(whole, file))), file).toBe(true)
    },
  )

  it('tells every loss of every step, and of some steps what held-out pictures are like', () => {
    const lines = readFileSync(join(whole, 'metrics.jsonl'), 'utf8').trimEnd().split('\n')
    const records = lines.map((line) => JSON.parse(line) as Readonly<Record<string, number>>)
    for (const record of records)
      for (const name of [
        'charbonnier',
        'pyramid',
        'kl',
        'equivariance',
        'adversary',
        'adversaryWeight',
        'discriminator',
        'steepness',
      ])
        expect(record).toHaveProperty(name)
    expect(records.map((r) => r['discriminator'] === 0)).toEqual([true, true, true, false, false, false])
    expect(records.map((r) => 'psnr' in r)).toEqual([false, false, true, false, false, true])
    expect(records[5]).toMatchObject({
      linearPsnr: records[2]?.['linearPsnr'],
      heldOut: expect.any(Number),
      ssim: expect.any(Number),
    })
  })

  it('draws its losses below the curve, each by itself, from the step on at which it counts', () => {
    const svg = readFileSync(join(whole, 'loss.svg'), 'utf8')
    const drawn = [...svg.matchAll(/font-weight="600" fill="#2b3642">([^<]*)</g)].map(([, name]) => name)
    expect(drawn).toEqual([
      'adversary',
      'adversaryWeight (log)',
      'charbonnier (log)',
      'discriminator (log)',
      'equivariance (log)',
      'kl (log)',
      'pyramid (log)',
      'steepness (log)',
    ])
    const [, counted = ''] = svg.split('discriminator (log)')
    const [own = ''] = counted.split('font-weight="600"')
    expect([...own.matchAll(/<circle/g)]).toHaveLength(3)
  })

  it('shows held-out pictures, each beside its reconstruction', () => {
    const sheet = PNG.sync.read(readFileSync(join(whole, 'samples/step-000006.png')))
    const scale = (sheet.width - 2) / 4 - 2 // four pictures in a row, gaps of 2
    expect(scale).toBe(64)
    const pixel = (x: number, y: number): readonly number[] => [
      ...sheet.data.subarray(4 * (y * sheet.width + x), 4 * (y * sheet.width + x) + 3),
    ]
    const first = dataOfSeas({ seed: 0, size: 16 }).heldOut(0)
    expect(pixel(2, 2)).toEqual([...first.subarray(0, 3)])
    const second = dataOfSeas({ seed: 0, size: 16 }).heldOut(1)
    expect(pixel(2 + 2 * 66, 2)).toEqual([...second.subarray(0, 3)])
  })

  it('keeps the averaged autoencoder with latents of mean 0 and deviation 1', async () => {
    const device = await openDevice('wasm')
    const found = await done(loadAutoencoder(whole))
    const data = dataOfSeas({ seed: 0, size: 16 })
    const pictures = range(2048).map((i) => data.picture(i))
    const bytes = Uint8Array.from(pictures.flatMap((p) => [...p]))
    const latents = await device.read(await found.encoderOn(device)(tensor(bytes, { shape: [2048, 16, 16, 3] })))
    const scaled = scalingOf([Float32Array.from(latents)], 2)
    for (const mean of scaled.mean ?? [NaN]) expect(Math.abs(mean)).toBeLessThan(0.02)
    for (const deviation of scaled.deviation ?? [NaN]) expect(Math.abs(deviation - 1)).toBeLessThan(0.02)
    await device.close()
  })

  it('is put through its autoencoder by `reconstruct`, on the pictures that it has not seen', async () => {
    const { pictures, reconstructions, measured, linearPsnr, latentShape, ...found } = await done(
      reconstruct(whole, { count: 3 }),
    )
    expect([pictures.length, reconstructions.length, measured]).toEqual([3, 3, 64])
    expect(latentShape).toEqual([8, 8, 2])
    const data = dataOfSeas({ seed: 0, size: 16 })
    expect(pictures.map((p) => Buffer.from(p).equals(Buffer.from(data.heldOut(pictures.indexOf(p)))))).toEqual([
      true,
      true,
      true,
    ])
    const device = await openDevice('wasm')
    const { encoderOn, decoderOn } = await done(loadAutoencoder(whole))
    const bytes = Uint8Array.from(range(64).flatMap((i) => [...data.heldOut(i)]))
    const latents = await device.read(await encoderOn(device)(tensor(bytes, { shape: [64, 16, 16, 3] })))
    const byHand = scalingOf([Float32Array.from(latents)], 2)
    for (const c of [0, 1]) {
      expect(found.latents.mean[c]).toBeCloseTo(byHand.mean?.[c] ?? NaN, 6)
      expect(found.latents.deviation[c]).toBeCloseTo(byHand.deviation?.[c] ?? NaN, 6)
    }
    const second = tensor(data.heldOut(1), { shape: [1, 16, 16, 3] })
    const made = await device.read(await decoderOn(device)(await encoderOn(device)(second)))
    made.forEach((x, i) => {
      const byte = Math.round((Math.min(1, Math.max(-1, x)) + 1) * 127.5)
      expect(Math.abs(byte - (reconstructions[1]?.[i] ?? NaN))).toBeLessThanOrEqual(1)
    })
    await device.close()
    expect(linearPsnr).toBeCloseTo(linearProjectionQuality(data, { factor: 2, latentChannels: 2 }).psnr, 10)
    const all = await done(reconstruct(whole, { count: 64 }))
    const ratios = all.pictures.map((p, i) => psnr(p, all.reconstructions[i] ?? p))
    expect(all.meanPsnr).toBeCloseTo(ratios.reduce((a, b) => a + b) / 64, 10)
    expect(found.psnr).toBe(all.psnr)
    expect(found.psnr).toBeLessThan(found.meanPsnr)
  })

  it('that is no autoencoder’s, a count that is none and a directory without a run are refused in words', async () => {
    expect(leftMessage(await reconstruct(whole, { count: 0 })())).toBe(
      'count must be a whole number from 1 to 1024, got 0',
    )
    expect(leftMessage(await reconstruct(directory())())).toMatch(/holds no run/)
    const file = join(whole, 'autoencoder.safetensors')
    expect(leftMessage(await reconstruct(file)())).toMatch(/autoencoder\.safetensors holds no run/)
  })
})

describe('a run against an adversary that goes on for more steps', () => {
  /** The encoder's weights in a run's newest checkpoint. */
  const encoderOf = (run: string): ReadonlyMap<string, readonly number[]> => {
    const newest = readdirSync(join(run, 'checkpoints')).toSorted().at(-1) ?? ''
    const file = right(readSafetensors(readFileSync(join(run, 'checkpoints', newest, 'params.safetensors'))))
    const own = [...file.tensors].filter(([name]) => name.startsWith('encoder.'))
    expect(own.length).toBeGreaterThan(3)
    return new Map(own.map(([name, { bytes }]) => [name, [...bytes]]))
  }

  it('stays in its last phase: its encoder keeps its bits, and config.json by which steps its phases go', async () => {
    const run = directory()
    await done(train(tinyAutoencoder(run, full)))
    const rests = encoderOf(run)
    const written = () =>
      JSON.parse(readFileSync(join(run, 'config.json'), 'utf8')) as Readonly<Record<string, unknown>>
    expect(written()).not.toHaveProperty('phaseSteps')
    expect(await done(resume(run, {}, { steps: 14 }))).toMatchObject({ step: 14 })
    expect(encoderOf(run)).toEqual(rests)
    expect(written()).toMatchObject({ steps: 14, phaseSteps: 6 })
    const discriminator = readFileSync(join(run, 'metrics.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { readonly discriminator: number }).discriminator)
    expect(discriminator.map((d) => d === 0)).toEqual(range(14).map((i) => i < 3))
    expect(await done(resume(run, {}, { steps: 16 }))).toMatchObject({ step: 16 })
    expect(written()).toMatchObject({ steps: 16, phaseSteps: 6 })
  })

  it('and for fewer steps comes to it sooner', async () => {
    const run = directory()
    await trainUntil(tinyAutoencoder(run, { ...full, steps: 100 }), 2)
    await done(resume(run, {}, { steps: 6 }))
    const found = readFileSync(join(run, 'metrics.jsonl'), 'utf8').trimEnd().split('\n').at(-1)
    expect((JSON.parse(found ?? '{}') as { readonly discriminator: number }).discriminator).toBeGreaterThan(0)
  })
})
