/** Random numbers on the GPU have cpu's bits: nothing on their way rounds. */
import { describe, expect, it } from 'vitest'
import { specification } from '../../../proof/devices.ts'
import { webgpu } from '../../../proof/webgpu.ts'
import { constant } from '../../../src/tensor/create.ts'
import {
  bernoulli,
  bits,
  categorical,
  foldIn,
  key,
  normal,
  permutation,
  randint,
  split,
  uniform,
} from '../../../src/tensor/random.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'

const gpu = (await webgpu()).open()
const cpu = specification.open()

const n = 10_000
const start = constant(7, { dtype: 'u32' })

const draws: readonly (readonly [name: string, draw: () => Tensor])[] = [
  ['bits', () => bits(key(1), [n])],
  ['bits of a later part of the stream', () => bits(key(1), [n], start)],
  ['bits of a key of keys', () => bits(split(foldIn(key(2), 'noise'), 3)[2], [n])],
  ['uniform in [0, 1)', () => uniform(key(3), [n])],
  ['uniform in [-1, 1)', () => uniform(key(3), [n], { low: -1, high: 1 })],
  ['uniform in [0.1, 17.3)', () => uniform(key(4), [n], { low: 0.1, high: 17.3 })],
  ['uniform in [1000, 1001)', () => uniform(key(4), [n], { low: 1000, high: 1001 })],
  ['uniform of halves', () => uniform(key(5), [n], { low: -2, high: 3, dtype: 'f16' })],
  ['normal', () => normal(key(6), [n])],
  ['normal of halves', () => normal(key(6), [n], 'f16')],
  ['normal of a later part of the stream', () => normal(key(6), [n], 'f32', start)],
  ['randint in [0, 10)', () => randint(key(7), [n], 0, 10)],
  ['randint of all 32 bits', () => randint(key(7), [n], -(2 ** 31), 2 ** 31)],
  ['bernoulli of a number', () => bernoulli(key(8), 0.3, [n])],
  ['bernoulli of a tensor', () => bernoulli(key(8), constant([0.1, 0.9, 0.5, 0]), [n / 4, 4])],
  ['permutation', () => permutation(key(9), n)],
  ['categorical', () => categorical(key(10), constant([0.25, -1, 2, 0.5]).broadcastTo([n, 4]))],
]

describe('random numbers on the GPU', () => {
  it.each(draws)('%s: 10,000 are those of cpu, bit for bit, compiled and realized', async (_, draw) => {
    const expected = await cpu.read(await cpu.compile(draw)())
    expect(expected.length).toBe(n)
    expect(await gpu.read(await gpu.compile(draw)())).toEqual(expected)
    expect(await gpu.read(draw())).toEqual(expected)
  })
})
