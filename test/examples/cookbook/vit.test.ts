import { expect, it } from 'vitest'
import { vit } from '../../../examples/cookbook/vit.ts'

it('the vision transformer begins to tell digits apart', async () => {
  const { accuracy } = await vit({ steps: 100 })
  expect(accuracy).toBeGreaterThan(0.25) // a guess is 0.1; 0.97 takes 600 steps
})
