/** Programs in which one part of the text of a shader decides: their results are cpu's, in one memory and with a buffer for each tensor. */
import { describe, expect, it } from 'vitest'
import { webgpu } from '../../../proof/webgpu.ts'
import { conv2d } from '../../../src/tensor/convolution.ts'
import { einsum } from '../../../src/tensor/contractions.ts'
import { constant, iota, tensor } from '../../../src/tensor/create.ts'
import { Tensor } from '../../../src/tensor/tensor.ts'
import { makeNode } from '../../../src/graph/node.ts'
import { leaves } from '../../../src/tensor/tree.ts'
import { cpuDevice } from '../../support/device.ts'
import { numbersFrom } from '../../support/views.ts'

const devices = [
  (await webgpu()).open(),
  (await webgpu({ limits: 'least', apart: true }, 'webgpu, a buffer for each tensor')).open(),
]
const cpu = cpuDevice()

type Program = (...xs: readonly Tensor[]) => unknown

/** Expects cpu's results of a program; within a share of the largest, where sums of f32 differ in their order. */
const expectCpu = async (f: Program, xs: readonly Tensor[], tolerance = 0): Promise<void> => {
  const expected = leaves(await cpu.compile(f)(...xs))
  for (const device of devices) {
    const got = leaves(await device.compile(f)(...xs))
    for (const [i, y] of expected.entries()) {
      const [a, b] = [await device.read(got[i] as Tensor), await cpu.read(y)]
      if (tolerance === 0) {
        expect([...a]).toEqual([...b])
        continue
      }
      const scale = Math.max(...Array.from(b, Math.abs))
      expect(Math.max(...Array.from(b, (v, k) => Math.abs(v - (a[k] ?? NaN))))).toBeLessThanOrEqual(tolerance * scale)
    }
  }
}

/** Numbers between −1 and 1. */
const numbers = (seed: number, ...shape: readonly number[]): Tensor =>
  tensor(
    new Float32Array(
      numbersFrom(
        seed,
        shape.reduce((a, b) => a * b, 1),
      ),
    ),
    { shape },
  )

const whole = (dtype: 'i32' | 'u8' | 'u32', ...shape: readonly number[]): Tensor =>
  tensor(
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (i * 7919) % 23),
    { shape, dtype },
  )

describe('a kernel', () => {
  it('rounds each step of halves and of bytes', async () => {
    const half = tensor([2048, 3, 0.1, 60000], { dtype: 'f16' })
    await expectCpu((x) => x.add(1).sub(x).mul(3), [half])
    const bytes = tensor([200, 3, 255, 128, 77], { dtype: 'u8' })
    await expectCpu((x) => x.add(100).div(2), [bytes])
  })

  it('keeps what literals are: 0 times NaN, −0, ∞, halves, and whole numbers above 2³¹', async () => {
    const special = tensor([NaN, Infinity, -Infinity, -3, 0, 2])
    await expectCpu((x) => [x.mul(0), x.mul(-0), x.add(Infinity)], [special])
    await expectCpu((x) => x.mul(0.1).add(0.3), [tensor([1, 3, 7, 1000], { dtype: 'f16' })])
    const large = tensor([1, 2, 3, 2 ** 32 - 1], { dtype: 'u32' })
    await expectCpu((x) => x.add(4294967295).xor(constant(0x80000001, { dtype: 'u32' })), [large])
  })

  it('casts in the middle, to each operation the dtype of its operand', async () => {
    await expectCpu(
      (x, y) => x.cast('i32').rem(y.cast('i32')).cast('f32').mul(0.5),
      [numbers(1, 90).mul(1000), numbers(2, 90).mul(40)],
    )
  })

  it('numbers elements along any axis, beside operands that lie otherwise', async () => {
    await expectCpu((x) => x.transpose().mul(iota([5, 7], 1, 'f32')), [numbers(3, 7, 5)])
  })

  it('has several results, of different dtypes', async () => {
    const f: Program = (x) => {
      const y = x.mul(3).add(1)
      return [y, y.square(), y.cast('f16'), y.less(0)]
    }
    await expectCpu(f, [numbers(4, 37)])
  })

  it('loses few digits in long sums, in blocks and behind them', async () => {
    const ones = tensor(new Float32Array(3 * 1000).fill(0.1), { shape: [3, 1000] })
    await expectCpu((x) => x.sum(1), [ones], 4e-6)
  })

  it('makes sums of whole numbers exact', async () => {
    const large = tensor(
      Array.from({ length: 300 }, (_, i) => 16777217 + i),
      { shape: [300], dtype: 'u32' },
    )
    await expectCpu((x) => x.sum(), [large])
  })

  it('runs side by side with others of its structure, of other sizes', async () => {
    const sizes = [200, 64, 129, 7]
    await expectCpu(
      (...xs) => xs.map((x) => x.mul(3).add(1)),
      sizes.map((n) => numbers(n, n)),
    )
    await expectCpu(
      (...xs) => xs.map((x) => x.sum()),
      [5000, 9000, 12000].map((n) => numbers(n, n)),
      1e-5,
    )
  })
})

describe('a contraction', () => {
  it('is a convolution of a part of an image', async () => {
    await expectCpu(
      (x, y) => conv2d(x.slice([1, 3], [2, 8], [1, 7]), y, { padding: 1 }),
      [numbers(1, 3, 9, 8, 4), numbers(2, 3, 3, 4, 8)],
      1e-6,
    )
  })

  it('of halves may have odd columns', async () => {
    await expectCpu((x, y) => x.cast('f16').matmul(y.cast('f16')), [numbers(1, 5, 6), numbers(2, 6, 7)], 2 ** -9)
  })

  it('of halves in parts stores pairs of different sums', async () => {
    await expectCpu((x, y) => x.cast('f16').matmul(y.cast('f16')), [numbers(1, 6, 1100), numbers(2, 1100, 8)], 2 ** -9)
  })

  it('runs for contractions of whole numbers too: batches, strides, padding, dilation, groups', async () => {
    await expectCpu((x, y) => einsum('bij,jbk->bik', x, y), [whole('i32', 3, 4, 5), whole('i32', 5, 3, 6)])
    const [image, filter] = [whole('i32', 2, 7, 9, 4), whole('i32', 3, 2, 2, 6)]
    await expectCpu(
      (x, y) =>
        new Tensor(
          makeNode(
            'conv',
            {
              stride: [1, 2],
              padLow: [1, 2],
              padHigh: [0, 1],
              inputDilation: [2, 1],
              filterDilation: [1, 1],
              groups: 2,
              dtype: 'i32',
            },
            [x.node, y.node],
          ),
        ),
      [image, filter],
    )
  })
})
