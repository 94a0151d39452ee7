/** Runs on pictures of one and of four channels: trained, drawn from, and written as grey and with opacity. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { encodePng } from '../../src/io/index.ts'
import { range } from '../../src/prelude/array.ts'
import { configOf, load, sample, train } from '../../src/train/index.ts'
import { directories, done, leftMessage, right, tinyConfig, tinySettings } from './tinyRun.ts'

const directory = directories()

it.each([
  [1, 0],
  [4, 6],
] as const)('pictures of %i channels are trained on, drawn, and written in their kind', async (channels, colorType) => {
  const run = directory()
  const folder = `${run}-pictures`
  mkdirSync(folder)
  for (const i of range(12)) {
    const pixels = Uint8Array.from(range(64 * channels), (k) => (k * 7 + i * 31) % 256)
    writeFileSync(join(folder, `${i}.png`), encodePng({ width: 8, height: 8, channels, pixels }))
  }
  await done(train(tinyConfig(run, { device: 'cpu', steps: 1, sampleEvery: 1, channels, folder })))
  const sheets = readdirSync(join(run, 'samples'))
  expect(sheets).not.toHaveLength(0)
  for (const sheet of sheets) expect(readFileSync(join(run, 'samples', sheet))[25]).toBe(colorType) // of IHDR
  const loaded = await done(load(run))
  const samples = await done(sample(loaded, { count: 2, steps: 1, seed: 0 }))
  expect(samples.channels).toBe(channels)
  expect(samples.pictures.map(({ length }) => length)).toEqual([64 * channels, 64 * channels])
})

it('three channels are not written down, as in runs from before there was a choice', () => {
  expect(right(configOf({ ...tinySettings, out: 'run', channels: 3 }))).toEqual(
    right(configOf({ ...tinySettings, out: 'run' })),
  )
})

it('two channels, and seas of one, are refused', () => {
  expect(leftMessage(configOf({ ...tinySettings, out: 'run', channels: 2 }))).toBe('channels must be 1, 3 or 4, got 2')
  expect(leftMessage(configOf({ ...tinySettings, out: 'run', channels: 1 }))).toBe(
    'channels must be 3 for procedural seas, got 1',
  )
})
