import { expect, it } from 'vitest'
import { pinn } from '../../../examples/cookbook/pinn.ts'

it('the network solves u″ = −π² sin πx to three digits', async () => {
  const { error } = await pinn()
  expect(error).toBeLessThan(1e-3)
})
