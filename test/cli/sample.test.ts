/** `fathom sample`: of a run, also one whose weights are not worth drawing from, by every sampler, and of a file of weights. */
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { FlagValue } from '../../src/cli/parse.ts'
import { runSample } from '../../src/cli/pictures.ts'
import { loadImage } from '../../src/data/index.ts'
import { samplers } from '../../src/diffusion/index.ts'
import {
  encodePng,
  imageGrid,
  readSafetensorsFile,
  saveParams,
  writeSafetensors,
  writeSafetensorsFile,
} from '../../src/io/index.ts'
import { lucidrainsNames } from '../../src/models/index.ts'
import { encodeWeights, load, train } from '../../src/train/index.ts'
import { cpuDevice } from '../support/device.ts'
import { directories, done, leftMessage, tinyConfig } from '../train/tinyRun.ts'

const directory = directories()

it('a run that diverged before it had learned is an error, and draws no pictures of noise', async () => {
  const run = directory()
  leftMessage(await train(tinyConfig(run, { device: 'cpu', learningRate: 1e10, steps: 1 }))())
  expect(await runSample(run, new Map([['count', 1]]))).toMatchObject({
    code: 1,
    message: expect.stringMatching(/has learned nothing yet: its newest checkpoint with finite weights is step 0/u),
  })
})

it('a run of one good step is drawn from', async () => {
  const run = directory()
  await done(train(tinyConfig(run, { device: 'cpu', steps: 1 })))
  expect(
    await runSample(
      run,
      new Map([
        ['count', 1],
        ['steps', 1],
      ]),
    ),
  ).toEqual({ code: 0 })
})

describe('a file of weights', () => {
  const few: readonly (readonly [string, string | number])[] = [
    ['count', 2],
    ['steps', 2],
  ]
  const place = directory()
  const config = join(place, 'config.json')
  const weights = `${place}-weights.safetensors`

  beforeAll(async () => {
    await done(train(tinyConfig(place, { device: 'cpu', steps: 1 })))
    copyFileSync(join(place, 'checkpoints', 'step-000001', 'average.safetensors'), weights)
  })

  it('is drawn from with the configuration of its network: the same pictures as from the run', async () => {
    expect(await runSample(place, new Map(few))).toEqual({ code: 0 })
    expect(await runSample(weights, new Map([...few, ['config', config]]))).toEqual({ code: 0 })
    const drawn = readFileSync(`${place}-weights-seed-0-2-pictures-2-steps.png`)
    expect(drawn.equals(readFileSync(join(place, 'samples', 'seed-0-2-pictures-2-steps.png')))).toBe(true)
  })

  it('may have the names and axes of lucidrains’ state dictionary', async () => {
    const { average } = await done(load(place))
    const theirs = `${place}-theirs.safetensors`
    await done(saveParams(cpuDevice(), theirs, average, lucidrainsNames(average)))
    const flags = new Map<string, string | number>([...few, ['config', config], ['names', 'lucidrains']])
    expect(await runSample(theirs, flags)).toEqual({ code: 0 })
    const drawn = readFileSync(`${place}-theirs-seed-0-2-pictures-2-steps.png`)
    expect(drawn.equals(readFileSync(join(place, 'samples', 'seed-0-2-pictures-2-steps.png')))).toBe(true)
    flags.delete('names')
    expect(await runSample(theirs, flags)).toMatchObject({
      code: 1,
      message: expect.stringMatching(
        /theirs\.safetensors: the weights do not fit the model: .*'stem\.bias' \[4\] is missing/u,
      ),
    })
    expect(await runSample(theirs, flags.set('names', 'lucidrain'))).toEqual({
      code: 2,
      message: '--names must be one of fathom, lucidrains, got lucidrain; did you mean lucidrains?',
    })
  })

  it('may say itself what network it is, as one that a page saved does, and then needs no --config', async () => {
    const { average, config: trained } = await done(load(place))
    const alone = `${place}-alone.safetensors`
    const bytes = await encodeWeights(cpuDevice(), trained, average)
    writeFileSync(alone, bytes)
    const text = new TextDecoder().decode(bytes.subarray(8, 4096))
    for (const word of ['"out', '"device', trained.out]) expect(text).not.toContain(word)
    expect(await runSample(alone, new Map(few))).toEqual({ code: 0 })
    const drawn = readFileSync(`${place}-alone-seed-0-2-pictures-2-steps.png`)
    expect(drawn.equals(readFileSync(join(place, 'samples', 'seed-0-2-pictures-2-steps.png')))).toBe(true)
    expect(await runSample(alone, new Map<string, FlagValue>([...few, ['names', 'lucidrain']]))).toMatchObject({
      code: 2,
    })
  })

  it('that says nonsense of its network is an error that says where', async () => {
    const { tensors } = await done(readSafetensorsFile(weights))
    const spoilt = `${place}-nonsense.safetensors`
    for (const [config, words] of [
      ['{', 'nonsense.safetensors: the configuration in it is no record in JSON'],
      ['[]', 'nonsense.safetensors: the configuration in it is no record in JSON'],
      ['{"height":-1}', 'nonsense.safetensors: the configuration in it: height must be a whole number'],
    ] as const) {
      writeFileSync(spoilt, writeSafetensors(tensors, new Map([['config', config]])))
      expect(await runSample(spoilt, new Map())).toMatchObject({ code: 1, message: expect.stringContaining(words) })
    }
  })

  it('without --config, and --config without a file of weights, are wrong usage', async () => {
    expect(await runSample(weights, new Map())).toMatchObject({
      code: 2,
      message: expect.stringMatching(
        /^--config must be FILE\.json, .* got none, and .*weights\.safetensors does not say it/u,
      ),
    })
    expect(await runSample(place, new Map([['config', config]]))).toMatchObject({
      code: 2,
      message: expect.stringContaining('--config goes with a file of weights'),
    })
  })

  it('that is not there, is of another network, or holds what is no number is an error', async () => {
    const sampled = (path: string, from = config) => runSample(path, new Map([['config', from]]))
    expect(await sampled(`${place}-nowhere.safetensors`)).toMatchObject({ code: 1 })
    const other = `${place}-other.json`
    const written = JSON.parse(readFileSync(config, 'utf8')) as { readonly model: object }
    writeFileSync(other, JSON.stringify({ ...written, model: { ...written.model, width: 8 } }))
    expect(await sampled(weights, other)).toMatchObject({
      code: 1,
      message: expect.stringContaining("'head.weight' is [4,3] where the model has [8,3]"),
    })
    const { tensors } = await done(readSafetensorsFile(weights))
    const spoilt = [...tensors].map(([name, record]) => {
      const bytes = record.bytes.slice()
      if (name === 'head.bias') bytes.fill(255)
      return [name, { ...record, bytes }] as const
    })
    await done(writeSafetensorsFile(`${place}-spoilt.safetensors`, spoilt))
    expect(await sampled(`${place}-spoilt.safetensors`)).toMatchObject({
      code: 1,
      message: expect.stringMatching(/the weights are no numbers: 'head.bias' in .*spoilt\.safetensors holds NaN/u),
    })
  })
})

it('every sampler draws by its name, in its usual steps', async () => {
  const run = directory()
  await done(train(tinyConfig(run, { device: 'cpu', steps: 1, timesteps: 8 })))
  const drawn: string[] = []
  for (const sampler of Object.keys(samplers)) {
    const out = join(run, `${sampler}.png`)
    const flags = new Map<string, FlagValue>([
      ['count', 1],
      ['sampler', sampler],
      ['out', out],
    ])
    expect(await runSample(run, flags)).toEqual({ code: 0 })
    drawn.push(readFileSync(out, 'hex'))
  }
  // euler is ddim by another name; where there are no more times than steps, ddpm-respaced and euler-ancestral are ddpm.
  expect(new Set(drawn).size).toBe(drawn.length - 3)
})

it('spacings and curves draw other pictures, whose sheets are named by them', async () => {
  const run = directory()
  await done(train(tinyConfig(run, { device: 'cpu', steps: 1, timesteps: 40 })))
  const drawn: string[] = []
  for (const [flag, name] of [
    ['spacing', 'leading'],
    ['spacing', 'linspace'],
    ['sigmas', 'karras'],
    ['sigmas', 'beta'],
  ] as const) {
    const flags = new Map<string, FlagValue>([
      ['count', 1],
      ['sampler', 'unipc'],
      ['steps', 5],
      [flag, name],
    ])
    expect(await runSample(run, flags)).toEqual({ code: 0 })
    drawn.push(readFileSync(join(run, 'samples', `seed-0-1-pictures-unipc-5-steps-${name}.png`), 'hex'))
  }
  expect(new Set(drawn).size).toBe(4)
})

it('a sampler that there is not is wrong usage, with the names of those there are; so are steps that it cannot take', async () => {
  const run = directory()
  await done(train(tinyConfig(run, { device: 'cpu', steps: 1, timesteps: 8 })))
  expect(await runSample(run, new Map([['sampler', 'hein']]))).toEqual({
    code: 2,
    message: `--sampler must be one of ${Object.keys(samplers).join(', ')}, got "hein"; did you mean heun?`,
  })
  const wrong = async (flags: readonly (readonly [string, string])[]): Promise<string | undefined> =>
    (await runSample(run, new Map(flags))).message
  expect(await wrong([['spacing', 'trails']])).toMatch(
    /^--spacing must be one of even, leading, trailing, linspace, got "trails"/,
  )
  expect(await wrong([['sigmas', 'karas']])).toMatch(/^--sigmas must be one of karras, .*did you mean karras\?$/)
  expect(
    await wrong([
      ['sigmas', 'karras'],
      ['spacing', 'even'],
    ]),
  ).toMatch(/^--sigmas must be absent beside a spacing/)
  expect(
    await wrong([
      ['sampler', 'ddpm'],
      ['sigmas', 'karras'],
    ]),
  ).toMatch(/^--sigmas must be absent for ddpm, which makes every step/)
  expect(
    await runSample(
      run,
      new Map<string, FlagValue>([
        ['sampler', 'ddpm'],
        ['steps', 7],
      ]),
    ),
  ).toEqual({ code: 2, message: '--steps must be 8 for ddpm, which makes them all (ddpm-respaced takes fewer), got 7' })
})

describe('what says nothing by itself, or goes nowhere, is wrong usage', () => {
  const place = directory()
  const saying = (...flags: readonly (readonly [string, FlagValue])[]) => runSample(place, new Map(flags))

  beforeAll(async () => {
    await done(train(tinyConfig(place, { device: 'cpu', steps: 1 })))
  })

  it('a strength without a picture, a guide without a guidance, a way to a seed of one picture', async () => {
    expect(await saying(['strength', 0.5])).toMatchObject({
      code: 2,
      message: expect.stringMatching(/^--strength goes with --from/u),
    })
    expect(await saying(['guide', 'early'])).toMatchObject({
      code: 2,
      message: expect.stringMatching(/^--guide goes with --guidance/u),
    })
    expect(await saying(['to', 5], ['count', 1])).toMatchObject({
      code: 2,
      message: expect.stringMatching(/^--count must be at least 2/u),
    })
  })

  it('a guidance beyond which there is only noise', async () => {
    expect(await saying(['guide', 'last'], ['guidance', 1e30])).toMatchObject({
      code: 2,
      message: '--guidance must be a number from 0 to 100, 1 for none, got 1e+30',
    })
  })

  it('a sheet that is a directory, or no PNG', async () => {
    expect(await saying(['out', place])).toMatchObject({
      code: 2,
      message: expect.stringMatching(/ is a directory: name a file in it/u),
    })
    expect(await saying(['out', 'sheet.jpg'])).toEqual({
      code: 2,
      message: "--out must end with .png, got 'sheet.jpg'",
    })
  })

  it('a picture that is not there is said to be that', async () => {
    const { code, message } = await saying(['from', join(place, 'gone.jpg')])
    expect([code, message]).toEqual([1, expect.stringContaining('There is no such file. Check the name')])
  })

  it('each way to draw has a sheet of its own', async () => {
    const few = [
      ['count', 2],
      ['steps', 2],
    ] as const
    const picture = join(place, 'samples', 'seed-0-2-pictures-2-steps.png')
    expect(await saying(...few)).toEqual({ code: 0 })
    expect(await saying(...few, ['to', 3])).toEqual({ code: 0 })
    expect(await saying(...few, ['from', picture], ['strength', 0.5])).toEqual({ code: 0 })
    expect(await saying(...few, ['guide', 'last'], ['guidance', 2])).toEqual({ code: 0 })
    expect(
      readdirSync(join(place, 'samples'))
        .filter((name) => name.startsWith('seed-'))
        .toSorted(),
    ).toEqual([
      'seed-0-2-pictures-2-steps-away-from-last-guidance-2.png',
      'seed-0-2-pictures-2-steps-from-seed-0-2-pictures-2-steps-strength-0.5.png',
      'seed-0-2-pictures-2-steps-to-3.png',
      'seed-0-2-pictures-2-steps.png',
    ])
  })
})

describe('--fill PHOTO --mask MASK.png', () => {
  const run = directory()
  const png = (name: string, side: number, byte: (i: number) => number): string => {
    const pixels = Uint8Array.from({ length: side * side * 3 }, (_, i) => byte(Math.floor(i / 3)))
    const path = join(run, name)
    writeFileSync(path, encodePng({ width: side, height: side, channels: 3, pixels }))
    return path
  }

  beforeAll(async () => {
    await done(train(tinyConfig(run, { device: 'cpu', steps: 1 })))
  })

  it('fills in what is white, and leaves what is black as it is in the photograph', async () => {
    const [photo, mask] = [png('photo.png', 8, (i) => i * 4), png('mask.png', 8, (i) => (i < 32 ? 0 : 255))]
    const [out, own] = [join(run, 'filled.png'), { height: 8, width: 8, channels: 3 } as const]
    const flags = new Map<string, FlagValue>([
      ...(['count', 'steps', 'jump', 'resamples'] as const).map((flag, i) => [flag, [1, 4, 2, 2][i] ?? 1] as const),
      ['fill', photo],
      ['mask', mask],
      ['out', out],
    ])
    expect(await runSample(run, flags)).toEqual({ code: 0 })
    const { pixels } = await done(loadImage(photo, own))
    const sheet = encodePng(imageGrid([pixels], own))
    expect(Buffer.compare(readFileSync(out), sheet)).not.toBe(0)
    expect(await runSample(run, new Map([...flags, ['mask', png('black.png', 8, () => 0)]]))).toEqual({ code: 0 })
    expect(Buffer.compare(readFileSync(out), sheet)).toBe(0)
    flags.delete('out')
    expect(await runSample(run, flags)).toEqual({ code: 0 })
    expect(readdirSync(join(run, 'samples'))).toContain(
      'seed-0-1-pictures-4-steps-fill-photo-mask-mask-jump-2-resamples-2.png',
    )
  })

  it('is refused where one is without the other, of another size, or beside a sampler or a beginning', async () => {
    const [photo, small] = [png('photo.png', 8, (i) => i), png('small.png', 4, () => 255)]
    const wrong = async (flags: readonly (readonly [string, FlagValue])[]): Promise<unknown> =>
      runSample(run, new Map(flags))
    const together = { code: 2, message: expect.stringContaining('--fill PHOTO and --mask MASK.png go together') }
    expect(await wrong([['fill', photo]])).toMatchObject(together)
    expect(await wrong([['mask', photo]])).toMatchObject(together)
    expect(await wrong([['jump', 3]])).toMatchObject({ code: 2, message: expect.stringContaining('goes with --fill') })
    const both = [
      ['fill', photo],
      ['mask', photo],
    ] as const
    expect(await wrong([both[0], ['mask', small]])).toMatchObject({
      code: 1,
      message: expect.stringMatching(/the mask .*small\.png is 4×4 and .*photo\.png is 8×8 \(height×width\)/u),
    })
    expect(await wrong([...both, ['sampler', 'heun']])).toMatchObject({
      code: 2,
      message: expect.stringContaining('--sampler must be absent'),
    })
    expect(await wrong([...both, ['resamples', 0]])).toMatchObject({
      code: 2,
      message: '--resamples must be a whole number ≥ 1, got 0',
    })
    expect(await wrong([...both, ['from', photo]])).toMatchObject({ code: 1 })
  })
})
