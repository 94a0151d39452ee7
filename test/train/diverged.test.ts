import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { saveCheckpoint, writeSafetensors } from '../../src/io/index.ts'
import { tensor } from '../../src/tensor/create.ts'
import { mapTree } from '../../src/tensor/tree.ts'
import { nonFinite, nonFiniteIn } from '../../src/train/finite.ts'
import { load, resume, sample, train, type TrainEvent } from '../../src/train/index.ts'
import { checkpoints, fingerprints } from './runFiles.ts'
import { directories, done, leftMessage, tinyConfig } from './tinyRun.ts'

const directory = directories()
const short = { device: 'cpu', steps: 2, saveEvery: 1 } as const

describe('values that are no numbers', () => {
  it('are found wherever they stand, and numbers never', () => {
    expect(nonFinite([])).toBeUndefined()
    expect(nonFinite([0, -0, 3e38, -1e-45])).toBeUndefined()
    for (const bad of [NaN, Infinity, -Infinity])
      for (const at of [0, 1, 2]) expect(nonFinite([1, 2, 3].with(at, bad))).toBe(String(bad))
  })

  it('are named by tensor and file, in any of a checkpoint’s files', () => {
    const file = (value: number) =>
      writeSafetensors([
        ['a', { dtype: 'f32', shape: [2], bytes: new Uint8Array(Float32Array.of(1, value).buffer) }],
        ['b', { dtype: 'u8', shape: [1], bytes: Uint8Array.of(255) }],
      ])
    const files = (opt: number) =>
      new Map([
        ['params.safetensors', file(1)],
        ['opt.safetensors', file(opt)],
        ['state.json', Uint8Array.of(1)],
      ])
    expect(nonFiniteIn(files(7))).toBeUndefined()
    expect(nonFiniteIn(files(-Infinity))).toBe("'a' in opt.safetensors holds -Infinity")
  })
})

describe('a run that diverges', () => {
  it('in its last step is a failure, and the state is not saved', async () => {
    const run = directory()
    const message = leftMessage(await train(tinyConfig(run, { ...short, learningRate: 1e10, steps: 1 }))())
    expect(message).toMatch(
      /^the loss on held-out pictures is (NaN|Infinity) at step 1 of .*: the run has diverged and is stopped.* lower --lr than 10000000000$/,
    )
    expect(checkpoints(run)).toEqual(['step-000000'])
    expect(readdirSync(join(run, 'samples'))).toEqual([])
  })

  it('sets the checkpoint aside whose weights gave the loss, so that the one before it is the newest', async () => {
    const run = directory()
    const diverging = tinyConfig(run, { ...short, learningRate: 1e10, steps: 40 })
    expect(leftMessage(await train(diverging)())).toMatch(/the loss is (NaN|Infinity) at step 2 of/)
    expect(readdirSync(join(run, 'checkpoints'))).toEqual(['bad-000001', 'latest', 'step-000000'])
    expect(readFileSync(join(run, 'checkpoints', 'latest'), 'utf8')).toBe('step-000000\n')
    expect(await done(load(run))).toMatchObject({ step: 0, warnings: [] })
  })
})

describe('weights that are no numbers', () => {
  const run = directory()
  const withBadStep3 = directory()
  beforeAll(async () => {
    await done(train(tinyConfig(run, short)))
    cpSync(run, withBadStep3, { recursive: true })
    const directoryOf2 = join(run, 'checkpoints', 'step-000002')
    const files = new Map(
      readdirSync(directoryOf2).flatMap((name) =>
        name === 'MANIFEST.json' ? [] : [[name, Uint8Array.from(readFileSync(join(directoryOf2, name)))] as const],
      ),
    )
    const bad = Uint8Array.from(files.get('average.safetensors') ?? [])
    new DataView(bad.buffer).setFloat32(bad.length - 4, NaN, true)
    files.set('average.safetensors', bad)
    files.set(
      'state.json',
      new TextEncoder().encode(new TextDecoder().decode(files.get('state.json')).replace('"step": 2', '"step": 3')),
    )
    await done(saveCheckpoint(join(withBadStep3, 'checkpoints'), 3, files))
  })

  it('in the newest checkpoint, of an earlier version, are passed over with a warning, by load and by resume', async () => {
    const warning =
      /checkpoint step-000003 .*the run had diverged: '.*' in average\.safetensors holds NaN.*using step-000002/
    expect(await done(load(withBadStep3))).toMatchObject({ step: 2, warnings: [expect.stringMatching(warning)] })
    const warnings: string[] = []
    const onEvent = (event: TrainEvent): void => {
      if (event._tag === 'Warning') warnings.push(event.message)
    }
    const more = directory()
    cpSync(withBadStep3, more, { recursive: true })
    expect(await done(resume(more, { onEvent }, { steps: 3 }))).toMatchObject({ step: 3 })
    expect(warnings).toContainEqual(expect.stringMatching(warning))
    expect(checkpoints(more)).toEqual(['step-000001', 'step-000002', 'step-000003.2'])
  })

  it('are no state of another step than their directory’s', async () => {
    const forged = directory()
    cpSync(run, forged, { recursive: true })
    const from = join(run, 'checkpoints', 'step-000002')
    const files = readdirSync(from).flatMap((name) =>
      name === 'MANIFEST.json' ? [] : [[name, Uint8Array.from(readFileSync(join(from, name)))] as const],
    )
    await done(saveCheckpoint(join(forged, 'checkpoints'), 9, new Map(files)))
    expect(await done(load(forged))).toMatchObject({
      step: 2,
      warnings: [expect.stringMatching(/step-000009 .*its state is of step 2/)],
    })
    expect(fingerprints(forged, 'step-000002')).toEqual(fingerprints(run, 'step-000002'))
  })

  it('draw nothing: an error, not pictures', async () => {
    const loaded = await done(load(run))
    const average = mapTree(loaded.average, (x) => tensor(new Float32Array(x.size).fill(NaN), { shape: x.shape }))
    expect(leftMessage(await sample({ ...loaded, average }, { count: 1, steps: 2, seed: 0 })())).toMatch(
      /the samples are NaN in .*: the run has diverged/,
    )
  })
})
