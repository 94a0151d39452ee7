/**
 * Kills a run by SIGKILL at fifty random moments, resumes it each time, and compares its last checkpoint with that of a run that was
 * never killed: `node scripts/node24.mjs scripts/kill-test.ts [kills] [seed]`.
 */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { range } from '../src/prelude/array.ts'
import { hostKey, hostUniform } from '../src/prelude/threefry.ts'
import { buildCommand, run } from '../test/cli/command.ts'
import { killAndResume } from '../test/cli/killAndResume.ts'
import { fingerprints, metricSteps } from '../test/train/runFiles.ts'

const [kills = 50, seed = 1] = process.argv.slice(2).map(Number)
const steps = 4 * kills
const root = mkdtempSync(join(tmpdir(), 'fathom-kill-'))
const config = join(root, 'config.json')
const model = { width: 4, multipliers: [1], heads: 1, headWidth: 4 }
writeFileSync(
  config,
  JSON.stringify({
    height: 8,
    width: 8,
    model,
    batch: 2,
    timesteps: 20,
    steps,
    sampleCount: 2,
    sampleSteps: 2,
    sampleEvery: 20,
    heldOutEvery: 20,
    saveEvery: 1,
  }),
)
const main = buildCommand('kill-script')
const [whole, out] = [join(root, 'whole'), join(root, 'killed')]

const { code, stderr } = await run(main, ['train', '--config', config, '--out', whole])
if (code !== 0) throw new Error(stderr)
const report = await killAndResume(
  main,
  config,
  out,
  range(kills).map((i) => 1500 * hostUniform(hostKey(seed), i)),
)
const last = `step-${String(steps).padStart(6, '0')}`
const same = JSON.stringify(fingerprints(out, last)) === JSON.stringify(fingerprints(whole, last))
const once = metricSteps(out).every((step, i) => step === i + 1) && metricSteps(out).length === steps
console.log(
  `${report.kills} kills; final checkpoint ${same ? 'equal' : 'DIFFERENT'}; each step ${once ? 'once' : 'NOT once'} in the metrics (${root})`,
)
if (!same || !once) process.exitCode = 1
