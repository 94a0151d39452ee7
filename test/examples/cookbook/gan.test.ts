import { expect, it } from 'vitest'
import { gan } from '../../../examples/cookbook/gan.ts'

it('the generator draws nearer to held-out digits the longer it is judged', async () => {
  const { far, real, first, samples } = await gan({ steps: 100 })
  expect(first).toBeGreaterThan(10)
  expect(far).toBeLessThan(first / 2)
  expect(far).toBeGreaterThan(real / 2) // not nearer than real digits: the measure would be broken
  expect(samples).toHaveLength(32 * 28 * 28)
})
