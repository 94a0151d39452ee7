import { expect, it } from 'vitest'
import { lora } from '../../../examples/cookbook/lora.ts'

it('thin matrices beside frozen weights are enough to read negatives', async () => {
  const { before, after, numbers, of } = await lora({ steps: 500 })
  expect(before).toBeLessThan(0.3)
  expect(after).toBeGreaterThan(0.96)
  expect(numbers / of).toBeLessThan(0.09)
})
