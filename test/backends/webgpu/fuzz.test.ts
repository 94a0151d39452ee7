/** Random programs on the GPU: values and gradients are those of the specification, where no f64 is in them, which a GPU has not. */
import { describe, expect, it } from 'vitest'
import { fuzz, showFailure } from '../../../proof/fuzz/run.ts'
import { webgpu } from '../../../proof/webgpu.ts'

const usual = await webgpu()

describe('random programs on the GPU', () => {
  it('have the values and the gradients of the specification', async () => {
    const report = await fuzz({ seed: 20, programs: 200, steps: [4, 16], modes: ['single'], configurations: [usual] })
    expect(report.failures.map(showFailure)).toEqual([])
    expect(report.laws.agreement).toBe(200)
    expect(report.nodes).toBeGreaterThan(2500)
    expect(report.gradients).toBeGreaterThan(600)
    expect(report.excused).toBeLessThan(16)
  }, 600_000)
})
