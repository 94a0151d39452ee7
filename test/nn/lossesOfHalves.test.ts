/** Losses of halves: computed in f32 and rounded once, so that nothing between overflows. */
import { describe, expect, it } from 'vitest'
import { grad } from '../../src/autograd/index.ts'
import * as nn from '../../src/nn/index.ts'
import { full, ones, tensor, zeros } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../support/device.ts'

/** One number that is large, and 99 zeros. */
const one = (large: number): Tensor => tensor([large, ...Array.from({ length: 99 }, () => 0)]).cast('f16')
const nothing = zeros([100], 'f16')
const labels = zeros([4000], 'i32')
const logits = tensor([[0, 20]])
  .broadcastTo([4000, 2])
  .cast('f16')

const cases: readonly (readonly [name: string, loss: (x: Tensor) => Tensor, at: Tensor, expected: number])[] = [
  ['mse', (x) => nn.mse(x, nothing), one(300), 900],
  ['l1', (x) => nn.l1(x, nothing), full([100], 60_000, 'f16'), 60_000],
  ['huber', (x) => nn.huber(x, nothing, { delta: 1000 }), one(600), 1800],
  ['smoothL1', (x) => nn.smoothL1(x, nothing, { beta: 0.001 }), one(60_000), 600],
  ['charbonnier', (x) => nn.charbonnier(x, nothing), one(60_000), 600],
  ['gaussianNll', (x) => nn.gaussianNll(x, nothing, ones([100], 'f16')), one(300), 450],
  ['hinge', (x) => nn.hinge(x, full([100], -2, 'f16')), one(60_000), 1201],
  ['binaryCrossEntropy', (x) => nn.binaryCrossEntropy(x, nothing), one(60_000), 600 + 0.99 * Math.LN2],
  [
    'tripletLoss',
    (x) => nn.tripletLoss(x.reshape([1, 100]), zeros([1, 100], 'f16'), one(300).reshape([1, 100])),
    one(300),
    301,
  ],
  ['crossEntropy, weighted', (x) => nn.crossEntropy(x, labels, { weight: ones([2], 'f16') }), logits, 20],
  ['nllLoss, weighted', (x) => nn.nllLoss(x.neg(), labels, { weight: full([2], 10, 'f16') }), logits.add(20), 20],
]

describe('losses of halves', () => {
  const device = cpuDevice()
  it.each(cases)(
    '%s: the mean is a half where squares and sums are none, and so is the gradient',
    async (_, loss, x, expected) => {
      const found = loss(x)
      expect(found.dtype).toBe('f16')
      const [value = NaN] = await values(found, device)
      expect(Math.abs(value / expected - 1)).toBeLessThan(1e-3)
      const slopes = await values(grad(loss)(x), device)
      expect(slopes.every(Number.isFinite)).toBe(true)
      expect(Math.max(...slopes.map(Math.abs))).toBeGreaterThan(0)
    },
  )
})
