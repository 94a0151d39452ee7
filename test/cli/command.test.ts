import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import { range } from '../../src/prelude/array.ts'
import { encoded } from '../data/folder/samplePictures.ts'
import { checkpoints, fingerprints, metricSteps } from '../train/runFiles.ts'
import { directories, tinySettings } from '../train/tinyRun.ts'
import { buildCommand, run, runEach, start, type Ended } from './command.ts'

const directory = directories()
let main = ''
let config = ''

beforeAll(() => {
  main = buildCommand('test')
  config = `${directory()}.json`
  writeFileSync(config, JSON.stringify(tinySettings))
})

const surroundings = (): { readonly cwd: string; readonly env: NodeJS.ProcessEnv } => ({
  cwd: dirname(config),
  env: { ...process.env, XDG_CACHE_HOME: `${config}.cache` },
})

const fathom = (...args: readonly string[]): Promise<Ended> => run(main, args, surroundings())

/** Arguments that are wrong usage, and what helps. */
const wrong: readonly (readonly [args: readonly string[], message: RegExp])[] = [
  [['trian'], /'trian' is not a command; did you mean `fathom train`\?/],
  [['train', '--stesp', '3'], /--stesp is not a flag of `fathom train`; did you mean --steps\?/],
  [['train', '--steps', 'many'], /--steps takes a number, got 'many'/],
  [['train', '--steps'], /--steps needs a value: --steps N/],
  [['train', '--steps', '0'], /--steps must be a whole number from 1 to 1000000000, got 0/],
  [['train', '--lr', '-1'], /--lr must be a number above 0, got -1/],
  [['train', '--channels', '2'], /--channels must be 1, 3 or 4, got 2/],
  [['train', '--channels', '1'], /--channels must be 3 for procedural seas, got 1/],
  [['train', '--size', '33', '--preset', 'small'], /image size 33 is not divisible by 4 \(2 halvings\): use 32 or 36/],
  [['train', '--size', 'big'], /--size takes a size like 64 or 48x64/],
  [
    ['train', '--preset', 'tyni'],
    /--preset must be one of tiny, small, base, photos-32, photos-64, latent-64, latent-128, latent-256, got "tyni"; did you mean tiny\?/,
  ],
  [['train', '--dry-run=yes'], /--dry-run takes no value/],
  [['train', 'a', 'b'], /takes one folder, got 'a' and 'b'/],
  [['train', '--time', 'soon'], /--time takes a time like 45s, 12m or 1h30m, got 'soon'/],
  [['train', '--ema', 'wide'], /--ema takes a decay like 0.995, widths like 5%,10%, or lucidrains, got 'wide'/],
  [['train', '--ema', '40%'], /--ema must be a list of 1 to 4 different numbers in \(0, 0.2886\]/],
  [['train', '--ema', '1'], /--ema must be a number in \[0, 1\), for instance 0.995, .*got 1/],
  [['train', '--time', '12'], /--time takes a time like 45s, 12m or 1h30m, got '12'; did you mean 12m\?/],
  [['train', '--time', '0'], /--time takes a time like 45s, 12m or 1h30m, got '0'/],
  [['train', '--time', '1m', '--steps', '3'], /--time is in the place of --steps.*leave one of the two out/],
  [['train', '--augment', '2'], /--augment must be a number in \[0, 1\], got 2/],
  [['encode'], /`fathom encode` needs the autoencoder: fathom encode FOLDER --latent VAE/],
  [['encode', '--latent', 'vae', '--channels', '2'], /--channels must be 1, 3 or 4/],
  [['resume'], /`fathom resume` needs a directory/],
  [['train', '--config', 'nowhere.json'], /--config nowhere.json cannot be read as JSON/],
]

describe('usage', () => {
  it('prints help and version with exit code 0', async () => {
    const [overview, train, version] = [
      await fathom('--help'),
      await fathom('train', '--help'),
      await fathom('--version'),
    ]
    expect([overview.code, train.code, version.code]).toEqual([0, 0, 0])
    expect(overview.stdout).toMatch(
      /fathom COMMAND --help[^]*\n {2}train {2,}train a model[^]*\n {2}resume [^]*\n {2}sample [^]*\n {2}doctor /,
    )
    expect(train.stdout).toMatch(
      /^fathom train \[FOLDER\] \[flags\][^]*--out DIR[^]*--dry-run[^]*More flags: --channels,[^]*--help-all/,
    )
    expect((await fathom('sample', '--help-all')).stdout.replaceAll(/\s+/g, ' ')).toMatch(
      /--sampler NAME .*docs\/20-samplers\.md \[ddim\]: ddim, ddpm, heun, .*consistency.*--steps N .*\[50 of ddim, 25 of most, all of ddpm\].*--spacing NAME .*even, leading, trailing, linspace \[even\].*--sigmas NAME .*karras, exponential, lu, beta/,
    )
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  let ended: readonly Ended[] = []
  beforeAll(async () => {
    ended = await runEach(
      main,
      wrong.map(([args]) => args),
      surroundings(),
    )
  })

  it.each(wrong.map(([args, message], i) => [args, message, i] as const))(
    '%j is wrong usage: exit code 2 and one line that helps',
    (_, message, i) => {
      const { code, stderr = '', stdout } = ended[i] ?? {}
      expect(stderr).toMatch(message)
      expect(stderr.trimEnd().split('\n')).toHaveLength(1)
      expect([code, stdout]).toEqual([2, ''])
    },
  )

  it('is the same in a process of its own', async () => {
    expect(await fathom('train', '--steps')).toEqual({
      ...ended[wrong.findIndex(([args]) => args.join() === 'train,--steps')],
      signal: null,
    })
  })
})

describe('a run by the command', () => {
  it('trains on seas, draws samples, and has nothing to resume: exit code 0', async () => {
    const out = directory()
    const trained = await fathom('train', '--config', config, '--out', out, '--steps', '3')
    expect(trained).toMatchObject({ code: 0, stderr: '' })
    expect(trained.stdout).toMatch(
      /procedural seas[^]*parameters[^]*planned[^]*3 steps × batch 2[^]*step 3\/3[^]*100 %[^]*held-out/,
    )
    expect(trained.stdout).not.toContain('\r')
    const sampled = await fathom('sample', out, '--count', '3', '--steps', '2', '--seed', '5')
    expect(sampled.stdout).toMatch(/3 pictures from step 3 → .*samples\/seed-5-3-pictures-2-steps\.png/)
    expect(await sharp(join(out, 'samples', 'seed-5-3-pictures-2-steps.png')).metadata()).toMatchObject({
      format: 'png',
      channels: 3,
    })
    expect(await fathom('resume', out)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('the run is complete'),
    })
    expect(await fathom('train', '--config', config, '--out', out)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /holds a run already: continue it with `fathom resume .*`, or choose another directory with --out/,
      ),
    })
    expect(await fathom('sample', out, '--steps', '21')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--steps must be a whole number from 1 to 20, got 21'),
    })
  })

  it('chooses a fresh directory where none is named', async () => {
    const { stdout } = await fathom('train', '--config', config, '--steps', '1')
    const name = /run +(runs\/\S+-seas-1)\n/.exec(stdout)?.[1] ?? 'none'
    expect(existsSync(join(dirname(config), name, 'config.json'))).toBe(true)
  })

  it('on paper prints parameters, memory, FLOPs and time, and writes nothing', async () => {
    const out = directory()
    const { code, stdout } = await fathom('train', '--preset', 'small', '--dry-run', '--out', out)
    expect(code).toBe(0)
    expect(stdout).toMatch(/M parameters[^]*planned [\d.]+ [MG]B[^]*GFLOP in \d+ kernels[^]*time +≈ /)
    expect(existsSync(out)).toBe(false)
  })

  it('after Ctrl-C finishes the step, saves, says how to resume, and exits with 130; resumed it ends with the same bits', async () => {
    const [whole, out] = [directory(), directory()]
    const args = ['train', '--config', config, '--steps', '40', '--save-every', '7', '--out']
    await fathom(...args, whole)
    const { child, printed, ended } = start(main, [...args, out])
    await printed(/checkpoint of step 7 /)
    child.kill('SIGINT')
    const { code, stdout } = await ended
    expect(code).toBe(130)
    expect(stdout).toMatch(new RegExp(`stopped after step \\d+ of 40, and saved[^]*fathom resume ${out}`))
    const stopped = Number(/stopped after step (\d+)/.exec(stdout)?.[1])
    expect(checkpoints(out).at(-1)).toBe(`step-${String(stopped).padStart(6, '0')}`)
    expect(await fathom('resume', out)).toMatchObject({ code: 0 })
    expect(fingerprints(out, 'step-000040')).toEqual(fingerprints(whole, 'step-000040'))
    expect(metricSteps(out)).toEqual(range(40).map((i) => i + 1))
  })

  it('without a valid checkpoint cannot be resumed: exit code 1, and nothing is started', async () => {
    const out = directory()
    mkdirSync(out)
    expect(await fathom('resume', out)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^fathom: .* holds no run/),
    })
    expect(readdirSync(out)).toEqual([])
  })

  it('fails on an unknown device with the names of those there are', async () => {
    const out = directory()
    const { code, stderr } = await fathom('train', '--config', config, '--device', 'abacus', '--out', out)
    expect(existsSync(out)).toBe(false)
    expect([code, stderr]).toEqual([1, expect.stringMatching(/no device 'abacus'; choose one of: cpu, wasm, webgpu/)])
  })
})

describe('a folder of pictures', () => {
  const folder = async (files: Readonly<Record<string, Uint8Array | string>>): Promise<string> => {
    const path = directory()
    mkdirSync(path)
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(path, name), bytes)
    return path
  }

  it('with bad files trains on the rest, and says what it left out', async () => {
    const good = await encoded('jpeg')
    const path = await folder({
      'a.jpg': good,
      'b.png': await encoded('png'),
      'c.jpg': good.slice(0, 300),
      'd.jpg': 'no picture',
      'e.webp': await encoded('webp'),
    })
    const out = directory()
    const { code, stdout, stderr } = await fathom('train', path, '--config', config, '--steps', '2', '--out', out)
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/3 usable · 2 skipped \(.*\) · 1 held out/)
    expect(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'))).toMatchObject({ folder: path })
    const scanned = await fathom('scan', path)
    expect([scanned.code, scanned.stdout]).toEqual([0, expect.stringMatching(/c\.jpg|d\.jpg/)])
    expect(JSON.parse((await fathom('scan', path, '--json')).stdout)).toMatchObject({ folder: path })
  })

  it('is enough said: what is trained is chosen, on paper too, each decision with its reason', async () => {
    const path = await folder({ 'a.png': await encoded('png'), 'b.jpg': await encoded('jpeg') })
    const out = directory()
    const { code, stdout } = await fathom('train', path, '--dry-run', '--time', '1m', '--device', 'wasm', '--out', out)
    expect(code).toBe(0)
    expect(stdout).toMatch(/chosen +pictures of 16×16, in pixels: [^]*too few: what the model draws will be copies/)
    expect((await fathom('train', path, '--steps', '7', '--dry-run')).stdout).toMatch(
      /^(?![^]*chosen )[^]*U-Net 16×16[^]*7 steps × batch 16/u,
    )
    expect(stdout).toMatch(/in all +1:00/)
    expect(existsSync(out)).toBe(false)
  })

  it('without pictures is an error that says so, and makes no run', async () => {
    const out = directory()
    const empty = await folder({})
    expect((await fathom('train', empty, '--out', out)).stderr).toContain('No usable images')
    const trained = await fathom('train', empty, '--config', config, '--out', out)
    expect([trained.code, trained.stderr]).toEqual([1, expect.stringContaining('No usable images')])
    expect(existsSync(out)).toBe(false)
    expect(await fathom('scan', empty)).toMatchObject({ code: 1 })
  })

  it('with one picture learns that one, and says that nothing can be held out', async () => {
    const one = await folder({ 'a.png': await encoded('png') })
    const { code, stdout } = await fathom('train', one, '--config', config, '--steps', '2', '--out', directory())
    expect([code, stdout]).toEqual([
      0,
      expect.stringContaining('all pictures show the same, so those held out are trained on'),
    ])
  })

  it('that is not there is an error that names it', async () => {
    expect(await fathom('train', 'nowhere', '--config', config, '--out', directory())).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('nowhere'),
    })
  })
})
