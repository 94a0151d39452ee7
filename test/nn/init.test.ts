/** How parameters begin. */
import { describe, expect, it } from 'vitest'
import { conv2d, convTranspose2d, embedding, linear } from '../../src/nn/index.ts'
import { kaimingUniform, normal, ones, uniform, zeros } from '../../src/nn/init/index.ts'
import { key } from '../../src/tensor/random.ts'
import { values } from '../support/device.ts'

const spread = async (xs: readonly number[]): Promise<{ readonly largest: number; readonly deviation: number }> => ({
  largest: Math.max(...xs.map(Math.abs)),
  deviation: Math.sqrt(xs.reduce((sum, x) => sum + x * x, 0) / xs.length),
})

/** A uniform distribution on ±bound has deviation bound / √3. */
const expectUniform = async (xs: readonly number[], bound: number): Promise<void> => {
  const { largest, deviation } = await spread(xs)
  expect(largest).toBeLessThanOrEqual(bound)
  expect(largest).toBeGreaterThan(0.97 * bound)
  expect(Math.abs(deviation - bound / Math.sqrt(3))).toBeLessThan(0.03 * bound)
}

describe('initializers', () => {
  it('linear: weight and bias are uniform on ±1/√in, as in PyTorch', async () => {
    const params = linear(25, 400).init(key(3))
    await expectUniform(await values(params.weight), 1 / 5)
    await expectUniform(await values(params.bias ?? zeros([1])(key(0))), 1 / 5)
  })

  it('conv2d: the fan counts the pixels of the filter and the channels of a group', async () => {
    await expectUniform(await values(conv2d(8, 100, 3, { groups: 2 }).init(key(3)).weight), 1 / 6)
  })

  it("convTranspose2d: the fan is that of the convolution's adjoint, as in PyTorch", async () => {
    await expectUniform(await values(convTranspose2d(100, 4, 3).init(key(3)).weight), 1 / 6)
  })

  it('embedding: normal of deviation 1', async () => {
    const { deviation } = await spread(await values(embedding(100, 40).init(key(3)).weight))
    expect(Math.abs(deviation - 1)).toBeLessThan(0.05)
  })

  it('zeros, ones, uniform, normal, kaimingUniform make what they say', async () => {
    expect(await values(zeros([2])(key(1)))).toEqual([0, 0])
    expect(await values(ones([2])(key(1)))).toEqual([1, 1])
    await expectUniform(await values(uniform([2000], 3)(key(1))), 3)
    await expectUniform(await values(kaimingUniform([2000], 16)(key(1))), 1 / 4)
    expect(Math.abs((await spread(await values(normal([4000], 2)(key(1))))).deviation - 2)).toBeLessThan(0.1)
  })

  it('a layer without bias has no parameter for it', () => {
    expect(Object.keys(linear(2, 3, { bias: false }).init(key(1)))).toEqual(['weight'])
    expect(Object.keys(conv2d(2, 3, 1, { bias: false }).init(key(1)))).toEqual(['weight'])
    expect(Object.keys(convTranspose2d(2, 3, 1, { bias: false }).init(key(1)))).toEqual(['weight'])
  })
})
