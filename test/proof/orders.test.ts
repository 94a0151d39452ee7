/** Derivatives of derivatives: every order of grad, jvp and vjp gives the same number. */
import { expect, it } from 'vitest'
import { orders } from '../../proof/orders.ts'
import { cpuDevice } from '../support/device.ts'

it('all 9 words of two and all 27 of three letters of grad, jvp, vjp agree on random programs, along exchanged directions too', async () => {
  const { checks, worst } = await orders(cpuDevice(), { seed: 41, runs: 12 })
  expect(checks).toBe(12 * 2 * (9 + 27))
  expect(worst).toBeLessThanOrEqual(1)
}, 120_000)
