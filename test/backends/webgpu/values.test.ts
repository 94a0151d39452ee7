/** Every operation on the GPU against its oracle, in every dtype that it has. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkValues } from '../../../proof/suites/values.ts'
import { checkCases, dataOf, type Held } from '../../../proof/suites/suite.ts'
import type { Case } from '../../../proof/registry/entry.ts'
import { subjects } from '../../../proof/suites/index.ts'
import { webgpu } from '../../../proof/webgpu.ts'

const configurations = [
  await webgpu(),
  await webgpu({ limits: 'least', apart: true }, 'webgpu, a buffer for each tensor'),
]
const opened = configurations.map((configuration) => [configuration, configuration.open()] as const)

describe('webgpu', () => {
  it.each(
    subjects.flatMap(([kind, name, entry]) =>
      entry.dtypes.some((d) => d !== 'f64') ? [[kind, name, entry] as const] : [],
    ),
  )('computes %s %s as its oracle says', async (_kind, name, entry) => {
    const cases = fc.constantFrom(...entry.dtypes.filter((d) => d !== 'f64')).chain(entry.cases)
    const check = async (c: Case): Promise<Held> =>
      // The one thing that it cannot do is to cast to f64.
      c.build(...dataOf(c)).dtype === 'f64' ? { checks: 0, worst: 0 } : checkValues(opened, entry, c)
    const tally = await checkCases('values', name, cases, { seed: 1, runs: 12 }, check)
    expect(tally.worst).toBeLessThanOrEqual(1)
  })
})
