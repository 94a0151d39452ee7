/** What tensors made from numbers hold. */
import { describe, expect, it } from 'vitest'
import { constant, full, tensor } from '../../src/tensor/create.ts'
import { cpuForms, values } from '../support/device.ts'

describe.each(cpuForms)('on cpu, %s', (_, open) => {
  it('a bool holds 0 or 1, whatever number it was made of', async () => {
    const made = [full([2], 3, 'bool'), tensor([3, 0], { dtype: 'bool' }), constant([-1, 0.5], { dtype: 'bool' })]
    for (const [i, x] of made.entries())
      expect([i, ...(await values(x.select(x, x), open()))]).toEqual([i, 1, i === 1 ? 0 : 1])
    const bytes = tensor(new Uint8Array([0, 2]), { dtype: 'bool' })
    expect(await values(bytes.select(bytes, bytes), open())).toEqual([0, 1])
  })
})
