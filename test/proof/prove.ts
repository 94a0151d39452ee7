/** A suite of the proof as tests: one for each operation it applies to, and one for how many checks that was. */
import { expect, it } from 'vitest'
import type { Configuration } from '../../proof/devices.ts'
import { applies, runSuite, subjects } from '../../proof/suites/index.ts'
import { total, type Tally } from '../../proof/tally.ts'

/** How much to run, and how many checks that must be. */
export interface Amount {
  readonly least: number
  readonly seed?: number
  readonly scale?: number
  readonly on?: Configuration
}

/** Defines the tests; `claim` says what is true of each operation. */
export const prove = (suite: string, claim: string, { least, seed = 1, scale = 1, on }: Amount): void => {
  const tallies: Tally[] = []
  it.each(subjects.filter(([, , entry]) => applies(suite, entry)))(
    `%s %s: ${claim}`,
    async (kind, name, entry) => {
      const tally = await runSuite(suite, kind, name, entry, { seed, scale, ...(on === undefined ? {} : { on }) })
      expect(tally.checks).toBeGreaterThan(0)
      expect(tally.worst).toBeLessThanOrEqual(1)
      tallies.push(tally)
    },
    60_000,
  )
  it(`is at least ${least} checks in all`, () => {
    expect(total(tallies).checks).toBeGreaterThanOrEqual(least)
  })
}
