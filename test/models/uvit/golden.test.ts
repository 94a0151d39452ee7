/** U-ViT against PyTorch 1.13: its result, and the gradients of images, conditions and parameters; with learned positions and without. */
import { describe, it } from 'vitest'
import { uvit } from '../../../src/models/index.ts'
import { expectGolden, goldenDevices, goldenTransformer } from '../transformers.ts'

describe.each(['uvit', 'uvit-learned'])('%s', { timeout: 60_000 }, (name) => {
  it.each(goldenDevices)("gives PyTorch's result and gradients; %s", async (_, open) => {
    const golden = await goldenTransformer(name)
    const { ratio, size, ...config } = golden.config
    await expectGolden(await open(), uvit({ ...config, mlpRatio: ratio, size: size ?? undefined }), golden)
  })
})
