/** `fathom train-vae` and `fathom reconstruct`: what they print, which settings flags reach, and what is wrong usage. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { PNG } from 'pngjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { directories } from '../train/tinyRun.ts'
import { tinySettings } from '../train/tasks/autoencoder/tinyAutoencoder.ts'
import { buildCommand, run, runEach, type Ended } from './command.ts'

const directory = directories()
let main = ''
let config = ''

beforeAll(() => {
  main = buildCommand('reconstruct')
  config = `${directory()}.json`
  writeFileSync(config, JSON.stringify(tinySettings))
})

const surroundings = (): { readonly cwd: string; readonly env: NodeJS.ProcessEnv } => ({
  cwd: dirname(config),
  env: { ...process.env, XDG_CACHE_HOME: `${config}.cache` },
})

const fathom = (...args: readonly string[]): Promise<Ended> => run(main, args, surroundings())

describe('an autoencoder of a folder', () => {
  let place = ''
  let trained: Ended

  beforeAll(async () => {
    place = directory()
    trained = await fathom(
      'train-vae',
      '--config',
      config,
      '--out',
      place,
      '--kl',
      '0.002',
      '--device',
      'wasm',
      '--steps',
      '3',
    )
  })

  it('is trained, with the line that a linear code reaches, and with words on how to go on', () => {
    expect([trained.code, trained.stderr]).toEqual([0, ''])
    expect(trained.stdout).toMatch(/variational autoencoder 16×16 → 8×8×2/)
    expect(trained.stdout).toMatch(/held-out \d+\.\d dB, [+−]\d+\.\d over a linear code/)
    expect(trained.stdout).toMatch(/fathom train FOLDER --latent [^]*fathom reconstruct /)
    const written = JSON.parse(readFileSync(join(place, 'config.json'), 'utf8')) as Readonly<Record<string, unknown>>
    expect(written).toMatchObject({
      task: 'autoencoder',
      steps: 3,
      weights: { kl: 0.002, equivariance: 0, pyramid: 0.75 },
    })
  })

  it('is compared with a linear code in words, and shown beside the pictures', async () => {
    const { code, stdout } = await fathom('reconstruct', place, '--count', '3')
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /64 held-out pictures, latents of 8×8×2: \d+\.\d dB \(mean \d+\.\d\), similarity 0\.\d{3}, \d+\.\d dB (?:above|below) the best linear code/,
    )
    const sheet = PNG.sync.read(readFileSync(join(place, 'reconstructions.png')))
    expect([sheet.width, sheet.height]).toEqual([4 * 66 + 2, 2 * 66 + 2]) // three pairs, two in a row
  })

  it('is told as JSON of exactly five names, with the sheet where it is wanted', async () => {
    const sheet = join(directory(), 'deep', 'sheet.png')
    const { code, stdout } = await fathom('reconstruct', place, '--json', '--out', sheet)
    expect(code).toBe(0)
    const found = JSON.parse(stdout) as Readonly<Record<string, unknown>>
    expect(Object.keys(found)).toEqual(['psnr', 'linearPsnr', 'ssim', 'latentShape', 'latents'])
    expect(found).toMatchObject({
      psnr: expect.any(Number),
      linearPsnr: expect.any(Number),
      ssim: expect.any(Number),
      latentShape: [8, 8, 2],
      latents: { mean: [expect.any(Number), expect.any(Number)], deviation: [expect.any(Number), expect.any(Number)] },
    })
    expect(existsSync(sheet)).toBe(true)
  })
})

/** Arguments of train-vae that are wrong usage, and what is said. */
const wrong: readonly (readonly [args: readonly string[], message: RegExp])[] = [
  [['--crop', '20'], /--crop must be a multiple of 16, from 16 to 64, got 20/],
  [['--kl', '-1'], /--kl must be a number ≥ 0, got -1/],
  [['--kind', 'vae'], /--kind must be one of kl, tiny, vq, got "vae"/],
  [['--latents', '0'], /--latents must be a whole number from 1 to 4096, got 0/],
  [['--channels', '1'], /--channels must be 3 for procedural seas, got 1/],
  [['--size', '62'], /image size 62 is not divisible by 4/],
  [['--adversary', '-1'], /--adversary must be a number ≥ 0, got -1/],
  [['--objective', 'v'], /--objective is not a flag of `fathom train-vae`/],
]

describe('usage', () => {
  it('a dry run tells of crops and writes no run', async () => {
    const place = directory()
    const { code, stdout } = await fathom(
      'train-vae',
      '--config',
      config,
      '--out',
      place,
      '--dry-run',
      '--device',
      'wasm',
    )
    expect(code).toBe(0)
    expect(stdout).toMatch(/reconstructs crops of 8×8[^]*dry run: nothing was trained or written/)
    expect(existsSync(place)).toBe(false)
  })

  let ended: readonly Ended[] = []
  beforeAll(async () => {
    ended = await runEach(
      main,
      wrong.map(([args]) => ['train-vae', '--device', 'wasm', ...args]),
      surroundings(),
    )
  })

  it.each(wrong.map(([args, message], i) => [args, message, i] as const))(
    'train-vae %s is refused with exit code 2',
    (_, message, i) => {
      expect(ended[i]).toMatchObject({ stderr: expect.stringMatching(message), code: 2 })
    },
  )

  it('reconstruct says which run has no autoencoder, and needs a directory', async () => {
    expect(await fathom('reconstruct')).toMatchObject({ code: 2, stderr: expect.stringMatching(/needs a directory/) })
    expect(await fathom('reconstruct', 'nowhere')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/holds no run/),
    })
    expect(await fathom('reconstruct', 'nowhere', '--count', '0')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--count must be/),
    })
  })
})
