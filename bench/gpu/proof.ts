/** The values of every operation on the GPU, in every dtype that it has, against the oracles of the proof. */
import fc from 'fast-check'
import { openWebgpu } from '../../src/backends/webgpu/backend.ts'
import { deviceOn } from '../../src/tensor/device.ts'
import type { Configuration } from '../../proof/devices.ts'
import type { Case } from '../../proof/registry/entry.ts'
import { checkCases, dataOf, type Held } from '../../proof/suites/suite.ts'
import { subjects } from '../../proof/suites/index.ts'
import { checkValues } from '../../proof/suites/values.ts'
import { gpuTolerance } from '../../proof/webgpu.ts'
import type { GpuOptions } from './gpuDevice.ts'
import type { Row } from './rows.ts'

/** Random cases of each operation. */
const casesOf = (small: boolean): number => (small ? 1 : 8)

/** Runs the suite; a row for each operation that fails, and one for all. */
export const values = async (
  { software, small }: GpuOptions & { readonly small: boolean },
  say: (row: Row) => void,
): Promise<void> => {
  const backend = await openWebgpu({ software, tune: false })
  const configuration: Configuration = { name: 'webgpu', open: () => deviceOn(backend), tolerance: gpuTolerance }
  const opened = [[configuration, configuration.open()] as const]
  let [checks, worst, failed] = [0, 0, 0]
  for (const [, name, entry] of subjects) {
    const dtypes = entry.dtypes.filter((d) => d !== 'f64')
    if (dtypes.length === 0) continue
    const cases = fc.constantFrom(...dtypes).chain(entry.cases)
    const check = async (c: Case): Promise<Held> =>
      // The one thing that it cannot do is to cast to f64.
      c.build(...dataOf(c)).dtype === 'f64' ? { checks: 0, worst: 0 } : checkValues(opened, entry, c)
    try {
      const tally = await checkCases('values', name, cases, { seed: 1, runs: casesOf(small) }, check)
      checks += tally.checks
      worst = Math.max(worst, tally.worst)
    } catch (e) {
      failed++
      say({ kind: 'check', side: 'fathom', name: `values of ${name}`, ok: false, detail: String(e).slice(0, 1000) })
    }
  }
  const name = `values of all operations: ${checks} checks, error as a part of what is allowed`
  say({ kind: 'check', side: 'fathom', name, ok: failed === 0 && worst <= 1, error: worst, tolerance: 1 })
  await backend.close()
}
