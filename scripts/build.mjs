/** Builds dist/ from src/ with the compiler alone, no bundler, so that readers of a stack trace land in real source. */
import { spawnSync } from 'node:child_process'
import { chmodSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const tsc = fileURLToPath(new URL('../node_modules/@typescript/native/bin/tsc', import.meta.url))

rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true })
const { status, error } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
})
if (error) throw error
if (status !== 0) {
  console.error('build: tsc -p tsconfig.build.json found the errors above; dist/ is not to be used')
  process.exit(status ?? 1)
}
// tsc keeps the shebang of cli/main.ts but not the execute bit, which `npx fathom` inside the repository needs.
chmodSync(new URL('../dist/cli/main.js', import.meta.url), 0o755)
