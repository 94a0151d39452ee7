/**
 * One stage in a process of its own: what hangs or crashes in it ends it alone. Its rows are lines of standard output.
 *
 *     node bench/gpu/stage.ts families '{"software": true, "small": true}'
 */
import process from 'node:process'
import { families, forms, randomBits } from './correctness.ts'
import { full, small } from './cases.ts'
import { facts } from './facts.ts'
import { kernels } from './kernels.ts'
import { values } from './proof.ts'
import type { Row } from './rows.ts'
import { lucidrains, published, type TrainingOptions } from './training.ts'

/** What a stage is told. */
export interface StageOptions extends TrainingOptions {
  readonly small: boolean
}

const say = (row: Row): void => void process.stdout.write(`${JSON.stringify(row)}\n`)

const stages: Readonly<Record<string, (options: StageOptions) => Promise<void>>> = {
  facts: async (options) => {
    for (const row of await facts(options)) say(row)
  },
  families: async (options) => families(options, say),
  forms: async (options) => forms(options, options.small ? small : full, say),
  random: async (options) => randomBits(options, say),
  kernels: async (options) => kernels(options, options.small ? small : full, say),
  published: async (options) => published(options, options.small ? small : full, say),
  values: async (options) => values(options, say),
  lucidrains: async (options) => lucidrains(options, options.small ? small : full, say),
}

const [, , name = '', json = '{}'] = process.argv
const stage = stages[name]
if (stage === undefined) throw new Error(`there is no stage '${name}'; choose of ${Object.keys(stages).join(', ')}`)
await stage({ software: false, small: false, ...(JSON.parse(json) as Partial<StageOptions>) })
