/** The diffusion transformer against PyTorch 1.13: its result, and the gradients of images, conditions and parameters. */
import { describe, it } from 'vitest'
import { dit } from '../../../src/models/index.ts'
import { cpuForms } from '../../support/device.ts'
import { expectGolden, goldenTransformer } from '../transformers.ts'

describe('dit', { timeout: 60_000 }, () => {
  it.each(cpuForms)("gives PyTorch's result and gradients; cpu %s", async (_, open) => {
    const golden = await goldenTransformer('dit')
    const { ratio, size: _size, ...config } = golden.config
    await expectGolden(open(), dit({ ...config, mlpRatio: ratio }), golden)
  })
})
