/** A batch without images goes through attention as through every other layer. */
import { expect, it } from 'vitest'
import { linearAttention, pixelAttention } from '../../src/models/index.ts'
import { zeros } from '../../src/tensor/create.ts'
import { key } from '../../src/tensor/random.ts'

const options = { heads: 2, headWidth: 3 }
const none = zeros([0, 2, 3, 4])

it('attention of no images is no images', () => {
  const [full, linear] = [pixelAttention(4, options), linearAttention(4, options)]
  expect(full.apply(full.init(key(0)), none).shape).toEqual([0, 2, 3, 4])
  expect(linear.apply(linear.init(key(0)), none).shape).toEqual([0, 2, 3, 4])
})
