/** Every operation on the GPU against its oracle, in every dtype that it has. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkValues } from '../../../proof/suites/values.ts'
import { checkCases, dataOf, type Held } from '../../../proof/suites/suite.ts'
import type { Case } from '../../../proof/registry/entry.ts'
import { subjects } from '../../../proof/suites/index.ts'
import { webgpu } from '../../../proof/webgpu.ts'

/** Whether all cases are tried that are promised: each takes code of its own, which a GPU that is played on the processor compiles slowly. */
const isWhole = process.env['PROMISED'] === '1'

/** Configurations with the random cases of each subject: what a kernel computes is the same where its tensors lie elsewhere. */
const configurations = [
  [await webgpu(), isWhole ? 12 : 7],
  [await webgpu({ limits: 'least', apart: true }, 'webgpu, a buffer for each tensor'), isWhole ? 4 : 2],
] as const

const opened = configurations.map(([configuration, runs]) => ({
  devices: [[configuration, configuration.open()]] as const,
  runs,
}))

/**
 * Of few cases of what moves elements half are empty, or of one element: there must be more. Contractions are seldom so, and compile most; layers are
 * made of what is tried before them, and of many kernels.
 */
const runsOf = (kind: string, name: string, runs: number): number => {
  if (kind === 'layers' && !isWhole) return Math.ceil(runs / 2)
  return kind === 'primitives' && runs > 4 && name !== 'conv' && name !== 'dotGeneral' ? (isWhole ? 40 : 20) : runs
}

describe('webgpu', () => {
  it.each(
    subjects.flatMap(([kind, name, entry]) =>
      entry.dtypes.some((d) => d !== 'f64') ? [[kind, name, entry] as const] : [],
    ),
  )('computes %s %s as its oracle says', async (kind, name, entry) => {
    const cases = fc.constantFrom(...entry.dtypes.filter((d) => d !== 'f64')).chain(entry.cases)
    for (const { devices, runs } of opened) {
      const check = async (c: Case): Promise<Held> =>
        // The one thing that it cannot do is to cast to f64.
        c.build(...dataOf(c)).dtype === 'f64' ? { checks: 0, worst: 0 } : checkValues(devices, entry, c)
      const tally = await checkCases('values', name, cases, { seed: 1, runs: runsOf(kind, name, runs) }, check)
      expect(tally.worst).toBeLessThanOrEqual(1)
    }
  })
})
