/** Convolutions whose padding keeps the size, and fills in what is in the image already. */
import { describe, expect, it } from 'vitest'
import { conv2d } from '../../src/tensor/convolution.ts'
import { ones, tensor } from '../../src/tensor/create.ts'
import { padWith } from '../../src/tensor/padding.ts'
import { key, normal } from '../../src/tensor/random.ts'
import { cpuDevice, values } from '../support/device.ts'

const device = cpuDevice()
const row = tensor([1, 2, 3], { shape: [1, 1, 3, 1] })

describe('conv2d with padding', () => {
  it('same: of what is missing the smaller half stands before, so that an even filter looks ahead', async () => {
    expect(await values(conv2d(row, ones([1, 2, 1, 1]), { padding: 'same' }), device)).toEqual([3, 5, 3])
  })

  it('same with a stride gives ⌈H / stride⌉ pixels', () => {
    expect(conv2d(ones([1, 5, 6, 1]), ones([3, 3, 1, 1]), { padding: 'same', stride: 2 }).shape).toEqual([1, 3, 3, 1])
  })

  it('valid is none, and both sides of each axis may differ', () => {
    expect(conv2d(row, ones([1, 2, 1, 1]), { padding: 'valid' }).shape).toEqual([1, 1, 2, 1])
    expect(conv2d(row, ones([1, 2, 1, 1]), { padding: [[0, 1], [2, 0]] }).shape).toEqual([1, 2, 4, 1]) // prettier-ignore
  })

  it.each(['reflect', 'replicate', 'circular'] as const)('%s is a convolution of the padded image', async (mode) => {
    const [x, w] = [normal(key(1), [1, 4, 5, 2]), normal(key(2), [3, 3, 2, 1])]
    const padded = conv2d(padWith(x, [0, 1, 2, 0], { mode }), w)
    const own = conv2d(x, w, { padding: [1, 2], paddingMode: mode })
    expect(await values(own, device)).toEqual(await values(padded, device))
  })

  it('refuses words and modes that there are not', () => {
    const w = ones([1, 2, 1, 1])
    expect(() => conv2d(row, w, { padding: JSON.parse('"full"') })).toThrow('conv2d: padding')
    expect(() => conv2d(row, w, { padding: 1, paddingMode: JSON.parse('"mirror"') })).toThrow(
      "conv2d: paddingMode is 'mirror'; it must be zeros, reflect, replicate or circular",
    )
  })
})
