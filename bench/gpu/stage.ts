/**
 * One stage in a process of its own: what hangs or crashes in it ends it alone. Its rows are lines of standard output.
 *
 *     node scripts/node24.mjs bench/gpu/stage.ts families '{"software": true, "small": true}'
 */
import process from 'node:process'
import { stages, type StageOptions } from './stages.ts'

const [, , name = '', json = '{}'] = process.argv
const stage = stages[name]
if (stage === undefined) throw new Error(`there is no stage '${name}'; choose of ${Object.keys(stages).join(', ')}`)
await stage({ software: false, small: false, ...(JSON.parse(json) as Partial<StageOptions>) }, (row) => {
  process.stdout.write(`${JSON.stringify(row)}\n`)
})
