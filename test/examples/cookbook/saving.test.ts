import { expect, it } from 'vitest'
import { saving } from '../../../examples/cookbook/saving.ts'

it('a run that went through a file ends with the bits of one that did not', async () => {
  const { apart, shapes, same, numbers } = await saving({ steps: 10 })
  expect(apart).toBe(0)
  expect(same).toBe(1)
  expect(numbers).toBe(16 * 25 + 16 + 16 * 10 + 10)
  expect(shapes).toEqual({ 'conv.bias': [16], 'conv.weight': [16, 1, 5, 5], 'fc.bias': [10], 'fc.weight': [10, 16] })
})
