import { expect, it } from 'vitest'
import { ownOptimizer } from '../../../examples/cookbook/own-optimizer.ts'

it('an optimizer of ten lines teaches a classifier as well as AdamW does', async () => {
  const { lion, adam } = await ownOptimizer({ steps: 400 })
  expect(lion).toBeGreaterThan(0.96)
  expect(adam).toBeGreaterThan(0.96)
})
