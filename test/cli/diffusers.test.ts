/** `fathom import` and `fathom export`: what they print, and what is wrong usage. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { directories } from '../train/tinyRun.ts'
import { buildCommand, run, type Ended } from './command.ts'

const directory = directories()
const golden = fileURLToPath(new URL('../golden/unet2d-scaleshift-class', import.meta.url))
let main = ''
let place = ''

beforeAll(() => {
  main = buildCommand('diffusers')
  place = directory()
})

const fathom = (...args: readonly string[]): Promise<Ended> =>
  run(main, args, { cwd: fileURLToPath(new URL('.', import.meta.url)) })

describe('a folder of diffusers', () => {
  it('is imported, drawn from and exported by three commands', async () => {
    const imported = await fathom('import', golden, '--out', place)
    expect(imported.code).toBe(0)
    expect(imported.stdout).toContain('8×8 · predicts epsilon · linear schedule of 1000 times')
    expect(imported.stdout).toContain(`draw from it with \`fathom sample ${place}\``)
    expect(`${imported.stdout}${imported.stderr}`).toContain('the folder says nothing of its noise')
    const drawn = await fathom(
      'sample',
      place,
      '--count',
      '1',
      '--steps',
      '1',
      '--class',
      'class 1',
      '--device',
      'wasm',
    )
    expect([drawn.code, drawn.stderr]).toEqual([0, ''])
    const exported = await fathom('export', place, '--to', 'diffusers')
    expect(exported.code).toBe(0)
    expect(exported.stdout).toContain(join(place, 'diffusers'))
    expect(readdirSync(join(place, 'diffusers')).toSorted()).toEqual(['model_index.json', 'scheduler', 'unet'])
    const again = await fathom('export', place)
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('not empty')])
  })

  it('is refused in one line, and nothing is left of it', async () => {
    const out = directory()
    const nowhere = await fathom('import', 'no/such/folder', '--out', out)
    expect([nowhere.code, nowhere.stderr]).toEqual([1, expect.stringContaining('no/such/folder')])
    expect(existsSync(out)).toBe(false)
    const other = await fathom('export', place, '--to', 'onnx')
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('--to must be diffusers, got "onnx"')])
  })
})
