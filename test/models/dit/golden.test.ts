/** The diffusion transformer against PyTorch 1.13: its result, and the gradients of images, conditions and parameters. */
import { describe, it } from 'vitest'
import { dit } from '../../../src/models/index.ts'
import { expectGolden, goldenDevices, goldenTransformer } from '../transformers.ts'

describe('dit', { timeout: 60_000 }, () => {
  it.each(goldenDevices)("gives PyTorch's result and gradients; %s", async (_, open) => {
    const golden = await goldenTransformer('dit')
    const { ratio, size: _size, ...config } = golden.config
    await expectGolden(await open(), dit({ ...config, mlpRatio: ratio }), golden)
  })
})
