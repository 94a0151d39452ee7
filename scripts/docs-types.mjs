/**
 * Type checks the code of README.md and docs/: an error names the file .cache/docs-types/<page>.ts, whose line numbers
 * are the page's own. Runs on Node 24, which reads TypeScript.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fences, pageModule } from '../test/docs/fences.ts'
import { modulePath, pages, root } from '../test/docs/pages.ts'

const folder = 'docs-types'
rmSync(join(root, '.cache', folder), { recursive: true, force: true })
const written = pages().map((page) => {
  const path = modulePath(folder, page)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(
    path,
    pageModule(fences(page, readFileSync(join(root, page), 'utf8')), () => ''),
  )
  return path
})

const tsc = join(root, 'node_modules/@typescript/native/bin/tsc')
if (written.length > 0)
  process.exitCode =
    spawnSync(process.execPath, [tsc, '-p', 'tsconfig.docs.json'], { cwd: root, stdio: 'inherit' }).status ?? 1
