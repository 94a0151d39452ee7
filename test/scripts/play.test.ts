/** `npm run play FILE`: a file outside the package's own folders runs against the sources. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from '../docs/pages.ts'

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-play-'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const play = (...args: readonly string[]) =>
  spawnSync(process.execPath, [join(root, 'scripts/play.mjs'), ...args], { cwd: root, encoding: 'utf8' })

describe('npm run play', () => {
  it('runs TypeScript with the package and its parts resolved to src/, and hands on arguments and exit code', () => {
    const path = join(folder, 'a.ts')
    writeFileSync(
      path,
      `import { openDevice, tensor, type Tensor } from 'fathom'
import { mse } from 'fathom/nn'

const device = await openDevice()
const loss: Tensor = mse(tensor([1, 2]), tensor([1, 4]))
console.log((await device.read(loss))[0], process.argv.slice(2).join(), import.meta.resolve('fathom').endsWith('src/index.ts'))
await device.close()
process.exitCode = 3
`,
    )
    const { stdout, stderr, status } = play(path, 'x', '--y')
    expect(`${stdout}${stderr}`).toBe('2 x,--y true\n')
    expect(status).toBe(3)
  })

  it('says what it takes when no file is named, and when there is none', () => {
    expect(play().stderr).toMatch(/^play: name a file, as in `npm run play a\.ts`/)
    expect(play('nothing.ts')).toMatchObject({ status: 1, stderr: 'play: there is no nothing.ts, here or in play/\n' })
  })
})
