/** `fathom eval`: a report of a run, and what is said where there can be none. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { runEval } from '../../src/cli/eval.ts'
import type { FlagValue } from '../../src/cli/parse.ts'
import { seas } from '../../src/data/index.ts'
import { encodePng } from '../../src/io/index.ts'
import { range } from '../../src/prelude/array.ts'
import { load, train } from '../../src/train/index.ts'
import { directories, done, tinyConfig } from '../train/tinyRun.ts'
import { withCacheHome } from '../support/cacheHome.ts'

const directory = directories()
const few: readonly (readonly [string, FlagValue])[] = [
  ['count', 16],
  ['steps', 2],
  ['features', 'random'],
]

/** A folder of 60 pictures of 16×16. */
const seasFolder = (): string => {
  const folder = directory()
  mkdirSync(folder)
  const sea = seas({ seed: 5, size: 16 })
  for (const i of range(60))
    writeFileSync(join(folder, `${i}.png`), encodePng({ width: 16, height: 16, channels: 3, pixels: sea.image(i) }))
  return folder
}

describe('fathom eval', () => {
  const run = directory()
  beforeAll(() => done(train(tinyConfig(run, { device: 'wasm', steps: 2 }))))

  it('writes a page and a record of a run, into the run', async () => {
    expect(await runEval(run, new Map(few))).toEqual({ code: 0 })
    const { judgement, lossByLevel, step } = JSON.parse(readFileSync(join(run, 'eval', 'report.json'), 'utf8')) as {
      readonly step: number
      readonly judgement: { readonly count: number; readonly spaces: readonly { readonly name: string }[] }
      readonly lossByLevel: readonly unknown[]
    }
    expect({ step, count: judgement.count, spaces: judgement.spaces.map(({ name }) => name) }).toEqual({
      step: 2,
      count: 16,
      spaces: ['random'],
    })
    expect(lossByLevel).toHaveLength(8)
    expect(readFileSync(join(run, 'eval', 'report.html'), 'utf8')).toContain(
      'Each picture beside the nearest of training',
    )
  })

  it('judges the weights that are named, and says which, at a place that is named', async () => {
    const { step } = await done(load(run, 'early'))
    const out = `${run}-early`
    expect(await runEval(run, new Map([...few, ['weights', 'early'], ['out', out]]))).toEqual({ code: 0 })
    const report = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as Record<string, unknown>
    expect(report).toMatchObject({ weights: 'early', step })
    expect(step).toBeLessThan(2)
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('the early weights, of step 1')
    expect(await runEval(run, new Map([['weights', 'worst']]))).toMatchObject({
      message: expect.stringContaining('--weights must be one of last, best, early, got "worst"'),
    })
  })

  it('judges by the pictures that are named, and asks for some where those of the run are not there', async () => {
    const [own, folder] = [directory(), seasFolder()]
    await done(train(tinyConfig(own, { folder, device: 'wasm', steps: 1 })))
    const moved = `${folder}-moved`
    renameSync(folder, moved)
    expect(await runEval(own, new Map(few))).toMatchObject({
      code: 1,
      message: expect.stringMatching(/`--data FOLDER` names other pictures to compare with$/),
    })
    expect(await runEval(own, new Map([...few, ['data', moved]]))).toEqual({ code: 0 })
  })

  it('says which feature spaces there are', async () => {
    expect(await runEval(run, new Map([['features', 'trained,inception']]))).toEqual({
      code: 2,
      message: "--features must be some of trained, random, mobilenet, parted by commas, got 'inception'",
    })
  })

  it('asks for more pictures than a few, before it draws any', async () => {
    expect(await runEval(run, new Map([['count', 5]]))).toMatchObject({
      code: 1,
      message: expect.stringContaining('5 drawn are too few to judge by: it takes 48 and 16 at least (--count)'),
    })
  })

  it('says that a directory holds no run', async () => {
    expect(await runEval(directory(), new Map())).toMatchObject({ code: 1 })
  })
})

describe('fathom eval of a run on latents', () => {
  withCacheHome(directory)

  it('sets what its autoencoder makes of real pictures among the sets of known quality', async () => {
    const [run, folder] = [directory(), seasFolder()]
    const autoencoder = { widths: [4, 8], groups: 2, latentChannels: 2 }
    const small = { crop: 16, batch: 2, steps: 2, saveEvery: 2, heldOutEvery: 2, sampleEvery: 100, sampleCount: 2 }
    const stage = { preset: 'vae-64', autoencoder, weights: { equivariance: 0, adversary: 0 }, ...small }
    const latent = { channels: 2, factor: 2, stage }
    await done(train(tinyConfig(run, { folder, height: 16, width: 16, latent, steps: 2, device: 'wasm' })))
    expect(await runEval(run, new Map(few))).toEqual({ code: 0 })
    const { judgement } = JSON.parse(readFileSync(join(run, 'eval', 'report.json'), 'utf8')) as {
      readonly judgement: {
        readonly sets: Readonly<
          Record<string, { readonly spaces: { readonly random: { readonly kernel: { value: number } } } }>
        >
      }
    }
    const far = (set: string): number => judgement.sets[set]?.spaces.random.kernel.value ?? NaN
    // Two steps make an autoencoder that keeps next to nothing.
    expect(far('reconstructed')).toBeGreaterThan(far('real'))
  })
})
