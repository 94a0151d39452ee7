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

  it('booleans make a bool, nested too; among numbers they are 1 and 0', async () => {
    const nested = tensor([
      [true, false],
      [false, true],
    ])
    expect([nested.dtype, nested.shape]).toEqual(['bool', [2, 2]])
    expect(await values(nested, open())).toEqual([1, 0, 0, 1])
    expect([tensor([true, 2]).dtype, ...(await values(tensor([true, 2]), open()))]).toEqual(['f32', 1, 2])
    expect(await values(tensor([true, false], { dtype: 'i32' }), open())).toEqual([1, 0])
    expect(tensor([]).dtype).toBe('f32')
  })

  it("a canvas's pixels are u8; 16-bit integers are the bits of f16, or numbers of a dtype that is named", async () => {
    const pixels = tensor(new Uint8ClampedArray([1, 255, 300]).subarray(1))
    expect([pixels.dtype, ...(await values(pixels, open()))]).toEqual(['u8', 255, 255])
    expect(await values(tensor(Uint16Array.of(0x3c00)), open())).toEqual([1])
    expect(await values(tensor(Uint16Array.of(1000), { dtype: 'f32' }), open())).toEqual([1000])
    expect(await values(tensor(Uint16Array.of(1000), { dtype: 'i32' }), open())).toEqual([1000])
  })

  it('select of two numbers is f32, and takes the shape of the condition', async () => {
    const chosen = tensor([[true, false]]).select(1, 0.25)
    expect([chosen.dtype, chosen.shape, await values(chosen, open())]).toEqual(['f32', [1, 2], [1, 0.25]])
  })
})
