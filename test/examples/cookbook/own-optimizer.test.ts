import { expect, it } from 'vitest'
import { ownOptimizer } from '../../../examples/cookbook/own-optimizer.ts'

it('optimizers of ten lines teach a classifier as well as AdamW does', async () => {
  const { signs, adam, cautious } = await ownOptimizer({ steps: 350 })
  for (const accuracy of [signs, adam, cautious]) expect(accuracy).toBeGreaterThan(0.94)
})
