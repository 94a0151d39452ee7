/** Attention of sequences: what a causal mask hides, what a context gives, and what is refused. */
import { describe, expect, it } from 'vitest'
import { attention } from '../../src/nn/attention.ts'
import { concatenate } from '../../src/tensor/combine.ts'
import { zeros } from '../../src/tensor/create.ts'
import { key, normal } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { values } from '../support/device.ts'

/** Three places in the opposite order. */
const reversed = (x: Tensor): Tensor =>
  concatenate(
    [2, 1, 0].map((i) => x.slice([0, 1], [i, i + 1])),
    1,
  )

describe('attention', () => {
  it('that is causal gives each place the same, whatever comes after it', async () => {
    const layer = attention(4, { heads: 2, causal: true })
    const params = layer.init(key(0))
    const [first, second] = [normal(key(1), [1, 3, 4]), normal(key(2), [1, 2, 4])]
    const whole = layer.apply(params, concatenate([first, second], 1)).slice([0, 1], [0, 3])
    expect(await values(whole)).toEqual(await values(layer.apply(params, first)))
  })

  it('without a mask gives the places in another order where they come in another', async () => {
    const layer = attention(4, { heads: 2 })
    const params = layer.init(key(0))
    const x = normal(key(1), [1, 3, 4])
    const [turned, back] = [
      await values(layer.apply(params, reversed(x))),
      await values(reversed(layer.apply(params, x))),
    ]
    turned.forEach((v, i) => expect(v).toBeCloseTo(back[i] ?? NaN, 6))
  })

  it('with one place of context gives that place to everyone', async () => {
    const layer = attention(4, { heads: 2, contextWidth: 3 })
    const y = layer.apply(layer.init(key(0)), { x: normal(key(1), [1, 2, 4]), context: normal(key(2), [1, 1, 3]) })
    const [a, b] = [await values(y.slice([0, 1], [0, 1])), await values(y.slice([0, 1], [1, 2]))]
    expect(a).toEqual(b)
  })

  it('of no sequences is no sequences', () => {
    const layer = attention(4, { heads: 2, causal: true })
    expect(layer.apply(layer.init(key(0)), zeros([0, 3, 4])).shape).toEqual([0, 3, 4])
  })

  it('says what it takes', () => {
    expect(() => attention(6, { heads: 4 })).toThrow('4 heads cannot share a width of 6: use 1, 2, 3, 6')
    expect(() => attention(4, { contextWidth: 3, causal: true } as { contextWidth: number })).toThrow(
      'leave contextWidth or causal out',
    )
    const own = attention(4)
    const cross = attention(4, { contextWidth: 3 })
    const x = zeros([1, 2, 4])
    expect(() => own.apply(own.init(key(0)), zeros([1, 2, 2, 4]))).toThrow('for images, x.reshape([N, H·W, C])')
    expect(() => cross.apply(cross.init(key(0)), { x, context: x })).toThrow('takes a context [N, T, 3], got [1,2,4]')
    expect(() => own.apply(own.init(key(0)), { x, context: x } as never)).toThrow('needs its contextWidth')
    expect(() => cross.apply(cross.init(key(0)), x as never)).toThrow('takes { x, context }')
  })
})
