/**
 * Type checks the code of README.md and docs/, and the examples of docstrings: an error names the file
 * .cache/docs-types/<page or source file>.ts, whose line numbers are those of the page or source file. Runs on Node 24, which
 * reads TypeScript.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { examplePath, examples, typedModule } from '../test/docs/examples.ts'
import { fences, pageModule } from '../test/docs/fences.ts'
import { modulePath, pages, root } from '../test/docs/pages.ts'

const folder = 'docs-types'
rmSync(join(root, '.cache', folder), { recursive: true, force: true })
mkdirSync(join(root, '.cache', folder), { recursive: true })
for (const page of pages())
  writeFileSync(
    modulePath(folder, page),
    pageModule(fences(page, readFileSync(join(root, page), 'utf8')), () => ''),
  )
for (const example of examples()) writeFileSync(examplePath(folder, example), typedModule(example.code))

const tsc = join(root, 'node_modules/@typescript/native/bin/tsc')
process.exitCode =
  spawnSync(process.execPath, [tsc, '-p', 'tsconfig.docs.json'], { cwd: root, stdio: 'inherit' }).status ?? 1
