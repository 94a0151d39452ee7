/** Random programs on the GPU: values and gradients are those of the specification, where no f64 is in them, which a GPU has not. */
import { describe, expect, it } from 'vitest'
import { fuzz, showFailure } from '../../../proof/fuzz/run.ts'
import { webgpu } from '../../../proof/webgpu.ts'

/** PROMISED=1 tries all 200 that are promised. */
const programs = process.env['PROMISED'] === '1' ? 200 : 90

const usual = await webgpu()

describe('random programs on the GPU', () => {
  it('have the values and the gradients of the specification', async () => {
    const report = await fuzz({ seed: 20, programs, steps: [4, 16], modes: ['single'], configurations: [usual] })
    expect(report.failures.map(showFailure)).toEqual([])
    expect(report.laws.agreement).toBe(programs)
    expect(report.nodes).toBeGreaterThan(12 * programs)
    expect(report.gradients).toBeGreaterThan(3 * programs)
    expect(report.excused).toBeLessThan(programs / 12)
  }, 600_000)
})
