/** Which pictures a run opens, by what its configuration says of them. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { seas } from '../../src/data/index.ts'
import { encodePng } from '../../src/io/index.ts'
import { range } from '../../src/prelude/array.ts'
import { labelsIn } from '../../src/train/index.ts'
import { openPictures } from '../../src/train/pictures/openPictures.node.ts'
import { directories, done, leftMessage } from './tinyRun.ts'
import { withCacheHome } from '../support/cacheHome.ts'

const directory = directories()
const cache = directory()
withCacheHome(() => cache)

const side = 32
const sea = seas({ seed: 5, size: side })
const png = (pixels: Uint8Array) => encodePng({ width: side, height: side, channels: 3, pixels })

/** Twelve seas, and of the first five a darker copy each, in subfolders. */
const folderWith = (subfolder: (i: number) => string = () => '.'): string => {
  const folder = directory()
  for (const i of range(17)) {
    const place = join(folder, subfolder(i))
    mkdirSync(place, { recursive: true })
    const pixels = i < 12 ? sea.image(i) : sea.image(i - 12).map((byte) => 0.92 * byte)
    writeFileSync(join(place, `${String(i).padStart(2, '0')}.png`), png(pixels))
  }
  return folder
}

const config = { seed: 1, height: side, width: side }

describe('The pictures of a run', () => {
  it('that are near-duplicates are held out, or trained on, together, which is said', async () => {
    const { options, warnings, data } = await done(openPictures({ ...config, folder: folderWith(), split: 'groups' }))
    expect(options.groups?.slice(12)).toEqual([0, 1, 2, 3, 4])
    expect(warnings.at(-1)).toBe(
      '10 pictures are near-duplicates of others, in 5 groups: each group is held out, or trained on, as a whole',
    )
    expect(data.count + data.heldOutCount).toBe(17)
  })

  it('are compared once: what was found is kept by their contents', async () => {
    const kept = (): readonly string[] => readdirSync(join(cache, 'fathom', 'groups'))
    const folder = folderWith()
    await done(openPictures({ ...config, folder, split: 'groups' }))
    const [file = ''] = kept()
    const path = join(cache, 'fathom', 'groups', file)
    const written = readFileSync(path, 'utf8')
    const groups = range(17).map(() => 0)
    writeFileSync(path, JSON.stringify({ groups, summary: 'all alike' }))
    const again = await done(openPictures({ ...config, folder: folderWith(), split: 'groups' }))
    expect(again.options.groups).toEqual(groups)
    for (const broken of [
      '{',
      '{"groups":[1],"summary":""}',
      JSON.stringify({ groups: groups.map(() => 99), summary: '' }),
    ]) {
      writeFileSync(path, broken)
      await done(openPictures({ ...config, folder, split: 'groups' }))
      expect(readFileSync(path, 'utf8')).toBe(written)
    }
    expect(kept()).toEqual([file])
  })

  it('that all show the same cannot be held out, which is said', async () => {
    const folder = directory()
    mkdirSync(folder)
    for (const i of range(6)) writeFileSync(join(folder, `${i}.png`), png(sea.image(3)))
    const warning =
      'all pictures show the same, so those held out are trained on too: the loss on them says nothing of others'
    expect((await done(openPictures({ ...config, folder, split: 'groups' }))).warnings).toContain(warning)
    const single = directory()
    mkdirSync(single)
    writeFileSync(join(single, 'a.png'), png(sea.image(3)))
    expect((await done(openPictures({ ...config, folder: single }))).warnings).toContain(warning)
  })

  it('are split one by one where the configuration does not say otherwise, as runs of before were', async () => {
    expect((await done(openPictures({ ...config, folder: folderWith() }))).options).toEqual({})
  })

  it('are labelled by their subfolders, in the order of the configuration', async () => {
    const folder = folderWith((i) => (i % 2 === 0 ? 'boats' : 'bridges'))
    expect(await done(labelsIn(folder))).toEqual(['boats', 'bridges'])
    const { data, options } = await done(openPictures({ ...config, folder, labels: ['bridges', 'boats'] }))
    expect(data.conditionNames).toEqual(['bridges', 'boats'])
    expect(range(17).map((i) => [...(options.labels?.of(i) ?? [])].indexOf(1))).toEqual([
      ...range(9).map(() => 1),
      ...range(8).map(() => 0),
    ])
  })

  it('whose subfolders are others than the run was told of are refused in one line', async () => {
    const folder = folderWith((i) => (i % 2 === 0 ? 'boats' : 'bridges'))
    expect(leftMessage(await openPictures({ ...config, folder, labels: ['boats'] })())).toBe(
      `${folder} has subfolders 'boats', 'bridges', and the run is told of 'boats': move 'bridges' out of it, or begin another run`,
    )
    expect(leftMessage(await openPictures({ ...config, folder, labels: ['boats', 'bridges', 'buoys'] })())).toBe(
      `${folder} has no label 'buoys', of which the network is to be told; there are 'boats', 'bridges'`,
    )
  })

  it('without subfolders have no labels', async () => {
    const folder = folderWith()
    expect(leftMessage(await labelsIn(folder)())).toBe(
      `no picture of ${folder} lies in a subfolder: labels are the names of subfolders, as boats/ and bridges/`,
    )
  })

  it('with a margin are trained on in parts, and held out whole', async () => {
    const { data, set } = await done(
      openPictures({ ...config, folder: folderWith(), height: 24, width: 24, margin: 1.25 }),
    )
    expect([set.height, data.height, data.picture(0).length, data.heldOut(0).length]).toEqual([
      30,
      24,
      24 * 24 * 3,
      24 * 24 * 3,
    ])
    expect(data.picture(0)).not.toEqual(data.picture(data.count)) // another part in the next epoch, or another picture
  })
})
