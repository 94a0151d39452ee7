/** What fathom does in each stage of a run. */
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

/** Stages by name. */
export const stages: Readonly<Record<string, (options: StageOptions, say: (row: Row) => void) => Promise<void>>> = {
  facts: async (options, say) => {
    for (const row of await facts(options)) say(row)
  },
  families: async (options, say) => families(options, say),
  forms: async (options, say) => forms(options, options.small ? small : full, say),
  random: async (options, say) => randomBits(options, say),
  kernels: async (options, say) => kernels(options, options.small ? small : full, say),
  published: async (options, say) => published(options, options.small ? small : full, say),
  values: async (options, say) => values(options, say),
  lucidrains: async (options, say) => lucidrains(options, options.small ? small : full, say),
}
