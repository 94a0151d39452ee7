import { expect, it } from 'vitest'
import { vae } from '../../../examples/cookbook/vae.ts'

it('the variational autoencoder says what a digit is in fewer nats than one that has learned nothing', async () => {
  const { elbo, samples } = await vae({ steps: 150 })
  expect(elbo).toBeLessThan(200) // 543 at first, 784 · ln 2
  expect(samples).toHaveLength(32 * 28 * 28)
  const bright = samples.filter((byte) => byte > 128).length / samples.length
  expect(bright).toBeGreaterThan(0.02) // strokes, and not a black sheet
  expect(bright).toBeLessThan(0.2)
})
