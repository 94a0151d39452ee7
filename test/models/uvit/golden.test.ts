/** U-ViT against PyTorch 1.13: its result, and the gradients of images, conditions and parameters; with learned positions and without. */
import { describe, it } from 'vitest'
import { uvit } from '../../../src/models/index.ts'
import { cpuForms } from '../../support/device.ts'
import { expectGolden, goldenTransformer } from '../transformers.ts'

describe.each(['uvit', 'uvit-learned'])('%s', { timeout: 60_000 }, (name) => {
  it.each(cpuForms)("gives PyTorch's result and gradients; cpu %s", async (_, open) => {
    const golden = await goldenTransformer(name)
    const { ratio, size, ...config } = golden.config
    await expectGolden(open(), uvit({ ...config, mlpRatio: ratio, size: size ?? undefined }), golden)
  })
})
