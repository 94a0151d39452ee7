/**
 * `npm run check`: every gate of the repository, one after the other, a line with its time for each; the first that
 * fails prints what it said and ends the run. The gates are scripts of package.json, so each can be run alone.
 * `npm run check -- --no-tests` leaves the tests out, for where they have just run.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const gates = ['types', 'types:core', 'types:docs', 'lint', 'format:check', 'layers', 'unused', 'api:check']
const wanted = process.argv.includes('--no-tests') ? gates : [...gates, 'test']

for (const gate of wanted) {
  const start = performance.now()
  const { status, stdout, stderr, error } = spawnSync('npm', ['run', '--silent', gate], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    shell: process.platform === 'win32',
  })
  if (error) throw error
  const seconds = ((performance.now() - start) / 1000).toFixed(1).padStart(6)
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${gate.padEnd(14)}${seconds} s`)
  if (status !== 0) {
    console.error(`\n${stdout}${stderr}\ncheck: \`npm run ${gate}\` failed with the output above`)
    process.exit(1)
  }
}
