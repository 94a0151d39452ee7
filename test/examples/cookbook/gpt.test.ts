import { expect, it } from 'vitest'
import { gpt } from '../../../examples/cookbook/gpt.ts'

it('the GPT learns of text which letters are frequent, and which follow which', async () => {
  const { heldOut, written } = await gpt({ steps: 100, batch: 8, characters: 20 })
  expect(heldOut).toBeLessThan(4.4) // log₂ 96 = 6.6 is a guess, 4.9 what is frequent alone
  expect(written).toMatch(/^The gradient[ -~\n]{20}$/)
})
