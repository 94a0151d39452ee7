import { expect, it } from 'vitest'
import { resnet } from '../../../examples/cookbook/resnet.ts'

it('the residual network reads digits by its running statistics', async () => {
  const { accuracy } = await resnet({ steps: 60, batch: 32, examples: 1000 })
  expect(accuracy).toBeGreaterThan(0.97)
})
