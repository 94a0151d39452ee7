import { expect, it } from 'vitest'
import { lstmAdds } from '../../../examples/cookbook/lstm.ts'

it('the LSTM keeps a number until another comes, and adds them', async () => {
  const { error } = await lstmAdds({ steps: 800, length: 10 })
  expect(error).toBeLessThan(0.03) // a constant has 1/6
})
