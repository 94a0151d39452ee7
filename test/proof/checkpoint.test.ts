/** Checkpoints on a real network: less memory, the same bits. */
import { describe, expect, it } from 'vitest'
import { arenas, differingLeaves } from '../../proof/checkpointing.ts'
import { cpuDevice } from '../support/device.ts'

describe('checkpoints on the U-Net of width 32 with images of 32×32', { timeout: 120_000 }, () => {
  it('lower the planned arena of a gradient with 16 images by at least 40 %', () => {
    const { plain, checkpointed } = arenas(cpuDevice(), 16)
    expect(1 - checkpointed / plain).toBeGreaterThanOrEqual(0.4)
  })

  it('change no bit of the loss or of any gradient', async () => {
    const { leaves, differing } = await differingLeaves(cpuDevice(), 1)
    expect(leaves).toBe(194)
    expect(differing).toEqual([])
  })
})
