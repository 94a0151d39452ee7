/** What the registry does not draw: indices beside values, indices that a program computes, corrections, dtypes without an oracle there, misuse. */
import { describe, expect, it } from 'vitest'
import { grad } from '../../src/autograd/grad.ts'
import { isNaN } from '../../src/tensor/comparisons.ts'
import { argmax } from '../../src/tensor/combine.ts'
import { full, ones, scalar, tensor, zeros } from '../../src/tensor/create.ts'
import { cummax, cumprod } from '../../src/tensor/cumulative.ts'
import { floorDivide, mod } from '../../src/tensor/division.ts'
import { dynamicSlice, dynamicUpdateSlice } from '../../src/tensor/dynamicSlice.ts'
import { einsum } from '../../src/tensor/contractions.ts'
import { takeAlongAxis } from '../../src/tensor/indexing.ts'
import { exp2, log10, log1p, log2 } from '../../src/tensor/logarithms.ts'
import { tile } from '../../src/tensor/movement.ts'
import { norm } from '../../src/tensor/norms.ts'
import { quantile, topK } from '../../src/tensor/orders.ts'
import { power } from '../../src/tensor/powers.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { diagonal, tril } from '../../src/tensor/triangles.ts'
import { atan2 } from '../../src/tensor/trigonometry.ts'
import { cpuDevice } from '../support/device.ts'

const device = cpuDevice()
const read = async (x: Tensor): Promise<readonly number[]> => Array.from(await device.read(x))

describe('orders', () => {
  it('topK: equal elements stand in their order, NaN first', async () => {
    const { values, indices } = topK(tensor([2, NaN, 3, 2, 3, -Infinity]), 5)
    expect(await read(indices)).toEqual([1, 2, 4, 0, 3])
    expect(await read(values)).toEqual([NaN, 3, 3, 2, 2])
    expect(indices.dtype).toBe('i32')
  })

  it('topK: of the least i32, whose negative is itself', async () => {
    const x = tensor([5, -(2 ** 31), 7], { dtype: 'i32' })
    expect(await read(topK(x, 3).values)).toEqual([7, 5, -(2 ** 31)])
  })

  it('min and argmin of unsigned and least integers do not wrap', async () => {
    expect(await read(tensor([3, 0, 200], { dtype: 'u8' }).min())).toEqual([0])
    expect(await read(tensor([2 ** 32 - 1, 7], { dtype: 'u32' }).min())).toEqual([7])
    expect(await read(tensor([1, -(2 ** 31)], { dtype: 'i32' }).argmin())).toEqual([1])
  })

  it('cummax: the gradient of equal elements goes to the last so far', async () => {
    const gradient = grad((x: Tensor) => cummax(x).sum())(tensor([2, 2, 1, 2]))
    expect(await read(gradient)).toEqual([1, 2, 0, 1])
  })

  it('argmax and x.argmax are one', async () => {
    const x = tensor([
      [1, 4, 4],
      [9, 2, 9],
    ])
    expect(await read(argmax(x))).toEqual(await read(x.argmax()))
  })
})

describe('parts', () => {
  it('at takes an index that the program computes, of any integer', async () => {
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ])
    expect(await read(x.at(1, scalar(2, 'i32')))).toEqual([3, 6])
    expect(await read(x.at(0, scalar(8, 'u32').add(1)))).toEqual([4, 5, 6])
    expect(() => x.at(0, scalar(9, 'u32'))).toThrow('at: the index 9 is outside 0 … 1')
  })

  it('a number that a compiled function is given is a start and an index, without another plan for each', async () => {
    const pick = device.compile((x: Tensor, i: Tensor) => [x.at(0, i), dynamicSlice(x, [i], [2])])
    const x = tensor([10, 20, 30, 40])
    for (const i of [0, 2]) {
      const [one = x, two = x] = await pick(x, i)
      expect(await read(one)).toEqual([10 * (i + 1)])
      expect(await read(two)).toEqual([10 * (i + 1), 10 * (i + 2)])
    }
  })

  it('dynamicUpdateSlice: a gradient flows to what is kept, and to what is put there', async () => {
    const start = scalar(1, 'i32')
    const loss = ({ cache, row }: { cache: Tensor; row: Tensor }): Tensor =>
      dynamicUpdateSlice(cache, row, [start, 0])
        .mul(
          tensor([
            [1, 2],
            [3, 4],
            [5, 6],
          ]),
        )
        .sum()
    const { cache, row } = grad(loss)({ cache: zeros([3, 2]), row: ones([1, 2]) })
    expect(await read(cache)).toEqual([1, 2, 0, 0, 5, 6])
    expect(await read(row)).toEqual([3, 4])
  })

  it('dynamicUpdateSlice: a cache of bools, and one of halves', async () => {
    const masked = dynamicUpdateSlice(zeros([4], 'bool'), ones([2], 'bool'), [scalar(7, 'i32')])
    expect(await read(masked)).toEqual([0, 0, 1, 1])
    const halves = dynamicUpdateSlice(zeros([3], 'f16'), full([1], 0.5, 'f16'), [scalar(1, 'i32')])
    expect(await read(halves.cast('f32'))).toEqual([0, 0.5, 0])
  })
})

describe('numbers', () => {
  it('exp2, log2 and log10 are exact at powers', async () => {
    const whole = [-126, -20, -1, 0, 1, 10, 127]
    expect(await read(exp2(tensor(whole)))).toEqual(whole.map((k) => 2 ** k))
    expect(await read(log2(tensor(whole.map((k) => 2 ** k))))).toEqual(whole)
    const tens = [0, 1, 2, 3, 5, 10]
    expect(await read(log10(tensor(tens.map((k) => 10 ** k))))).toEqual(tens)
  })

  it('whole powers are products: of small numbers they are exact', async () => {
    const found = await read(power(tensor([3, -3, 7, 2]), tensor([9, 9, 8, 23])))
    expect(found).toEqual([19683, -19683, 5764801, 8388608])
  })

  it('halves are computed in f32 and rounded once', async () => {
    const x = tensor([1e-4, 0.5, 3], { dtype: 'f16' })
    const found = await read(log1p(x).cast('f32'))
    const wide = await read(log1p(x.cast('f32')).cast('f16').cast('f32'))
    expect(found).toEqual(wide)
    expect(await read(norm(tensor([300, 400], { dtype: 'f16' })).cast('f32'))).toEqual([500])
    expect(
      await read(
        tensor([300, 300, 1 / 300], { dtype: 'f16' })
          .prod()
          .cast('f32'),
      ),
    ).toEqual([300])
    expect(await read(cumprod(tensor([300, 300, 1 / 300], { dtype: 'f16' })).cast('f32'))).toEqual([300, Infinity, 300])
  })

  it('products of whole numbers wrap as i32 and u32 do; bytes become i32', async () => {
    expect(await read(tensor([2 ** 16, 2 ** 15], { dtype: 'i32' }).prod())).toEqual([-(2 ** 31)])
    expect(await read(tensor([2 ** 16, 2 ** 16], { dtype: 'u32' }).prod())).toEqual([0])
    expect(tensor([200, 200], { dtype: 'u8' }).prod().dtype).toBe('i32')
    expect(await read(tensor([200, 200], { dtype: 'u8' }).prod())).toEqual([40000])
  })

  it('an integer divided by 0 rounds down to 0', async () => {
    expect(await read(floorDivide(tensor([5, -5], { dtype: 'i32' }), 0))).toEqual([0, 0])
  })

  it('a correction beyond the count gives NaN or ∞, never a negative variance', async () => {
    expect(await read(tensor([4]).std(0, false, 1))).toEqual([NaN])
    expect(await read(tensor([4, 6]).variance(0, false, 3))).toEqual([Infinity])
  })

  it('the gradients of std and of the norm are 0 where they are', async () => {
    expect(await read(grad((x: Tensor) => x.std())(tensor([2, 2, 2])))).toEqual([0, 0, 0])
    expect(await read(grad((x: Tensor) => norm(x, 2))(zeros([2])))).toEqual([0, 0])
  })

  it('a bound that is NaN is seen, and a NaN is kept', async () => {
    expect(await read(isNaN(tensor([1, NaN]).clamp(NaN, 2)))).toEqual([1, 1])
    expect(await read(tensor([1, 5]).clamp(tensor([NaN, 0]), 3))).toEqual([NaN, 3])
  })

  it('nothing: sums of none, products of none, all of none', async () => {
    const none = zeros([0, 2])
    expect(await read(none.prod(0))).toEqual([1, 1])
    expect(await read(none.any(0))).toEqual([0, 0])
    expect(await read(none.all(0))).toEqual([1, 1])
    expect(tril(none).shape).toEqual([0, 2])
    expect(tile(none, [2, 2]).shape).toEqual([0, 4])
    expect(einsum('ij->', none).shape).toEqual([])
  })
})

const i32 = (...values: readonly number[]): Tensor => tensor(values, { dtype: 'i32' })
const m = tensor([
  [1, 2, 3],
  [4, 5, 6],
])

describe('each word, once', () => {
  const words: readonly (readonly [what: string, x: () => Tensor, expected: readonly number[]])[] = [
    ['round', () => tensor([0.5, 1.5, 2.5, -0.5, -1.6]).round(), [0, 2, 2, -0, -2]],
    ['argmax of equal elements', () => tensor([1, 4, 4]).argmax(), [1]],
    ['argmax beside NaN', () => tensor([1, NaN, 4]).argmax(), [1]],
    [
      'variance of rows',
      () =>
        tensor([
          [1, 3],
          [0, 10],
        ]).variance(1),
      [1, 25],
    ],
    ['prod of an odd number', () => tensor([2, 3, 5]).prod(), [30]],
    ['matmul of a vector', () => tensor([1, 10]).matmul(m), [41, 52, 63]],
    [
      'einsum with an ellipsis',
      () =>
        einsum(
          '...i,...i->...',
          ones([2, 3, 2]),
          tensor([
            [1, 10],
            [2, 20],
            [3, 30],
          ]),
        ),
      [11, 22, 33, 11, 22, 33],
    ],
    [
      'log1p',
      () =>
        log1p(tensor([0.5, -0.25, 1]))
          .mul(1e6)
          .round(),
      [405465, -287682, 693147],
    ],
    [
      'atan2',
      () =>
        atan2(tensor([1, 1, -1]), tensor([1, -1, -1]))
          .mul(1e3)
          .round(),
      [785, 2356, -2356],
    ],
    ['the slope of power', () => grad((x: Tensor) => power(x, tensor([3])).sum())(tensor([2])), [12]],
    ['mod', () => mod(tensor([7, -7]), tensor([-3, 3])), [-2, 2]],
    ['quantile', () => quantile(tensor([1, 3]), 0.25), [1.5]],
    ['diagonal below', () => diagonal(m.transpose(), -1), [2, 6]],
    ['tril', () => tril(m), [1, 0, 0, 4, 5, 0]],
    ['takeAlongAxis', () => takeAlongAxis(m, tensor([[2], [0]], { dtype: 'i32' })), [3, 4]],
    ['dynamicSlice beyond', () => dynamicSlice(m, [0, scalar(9, 'i32')], [2, 1]), [3, 6]],
    ['dynamicUpdateSlice', () => dynamicUpdateSlice(i32(1, 2, 3), i32(9), [scalar(1, 'i32')]), [1, 9, 3]],
  ]
  it('matmul: the axis of a vector is not in the result', () => {
    expect(tensor([1, 10]).matmul(m).shape).toEqual([3])
    expect(m.matmul(tensor([1, 2, 3])).shape).toEqual([2])
    expect(tensor([1, 2]).matmul(tensor([3, 4])).shape).toEqual([])
  })

  it.each(words)('%s', async (_, x, expected) => expect(await read(x())).toEqual(expected))
})

describe('misuse', () => {
  const x = zeros([2, 3])
  const wrong: readonly (readonly [message: string, use: () => unknown])[] = [
    ['clamp: needs a lower or an upper bound, or both', () => x.clamp()],
    ['at: there is no index 1.5 in axis 0 of [2,3]; it goes from 0 to 1, or from −1 back', () => x.at(0, 1.5)],
    ['matmul: [2,3] · []: needs vectors, matrices or stacks of them; for a number use mul', () => x.matmul(scalar(2))],
    ['log1p: takes a float, got u8; cast it first', () => log1p(zeros([2], 'u8'))],
    ['power: dtypes f32 and f64 differ; cast one of them', () => power(x, zeros([3], 'f64'))],
    ['argmin: axis 1 of [2,0] has no elements to choose from', () => zeros([2, 0]).argmin()],
    ['dynamicSlice: a start is a whole number, got 0.5', () => dynamicSlice(x, [0.5, 0], [1, 1])],
    [
      "einsum: 'ij,jk->ik' is of 2 operands, it was given 3",
      () => einsum('ij,jk->ik', x, zeros([3, 2]), zeros([2, 2])),
    ],
  ]
  it.each(wrong)('%s', (message, use) => expect(use).toThrow(message))
})
