/** What a tensor looks like: printed, in JSON, read nested. */
import fc from 'fast-check'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { arange, iota, scalar, tensor, zeros } from '../../src/tensor/create.ts'
import { relu } from '../../src/tensor/activations.ts'
import { softmax } from '../../src/tensor/softmax.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice } from '../support/device.ts'

const device = cpuDevice()

describe('a printed tensor', () => {
  it('shows values of the host, a row on a line, columns aligned', () => {
    expect(
      String(
        tensor([
          [1, -2.25, 3],
          [4, 5000, 1 / 3],
        ]),
      ),
    ).toBe('Tensor f32[2,3]\n[[       1,    -2.25,        3],\n [       4,     5000, 0.333333]]')
    expect(String(tensor([[[1, 2]], [[3, 4]]]))).toBe('Tensor f32[2,1,2]\n[[[1, 2]],\n\n [[3, 4]]]')
  })

  it('writes what is no ordinary number, booleans, f16 and no elements', () => {
    expect(String(tensor([NaN, -Infinity, -0]))).toBe('Tensor f32[3] [NaN, -Infinity, -0]')
    expect(String(tensor([true, false]))).toBe('Tensor bool[2] [true, false]')
    expect(String(tensor([0.1], { dtype: 'f16' }))).toBe('Tensor f16[1] [0.09998]')
    expect(String(zeros([0, 3]))).toBe('Tensor f32[0,3]\n[]')
    expect(String(tensor([4294967295], { dtype: 'u32' }))).toBe('Tensor u32[1] [4294967295]')
  })

  it('of more than 1,000 elements shows three at each end of an axis', () => {
    expect(String(tensor(new Float32Array(1001).map((_, i) => i)))).toBe(
      'Tensor f32[1001] [0, 1, 2, …, 998, 999, 1000]',
    )
    expect(String(zeros([1e9, 0]))).toBe('Tensor f32[1000000000,0]\n[[],\n [],\n [],\n …,\n [],\n [],\n []]')
    expect(String(zeros([500, 2])).split('\n')).toHaveLength(501)
    expect(String(zeros([501, 2])).split('\n')).toEqual([
      'Tensor f32[501,2]',
      '[[0, 0],',
      ...Array.from({ length: 2 }, () => ' [0, 0],'),
      ' …,',
      ...Array.from({ length: 2 }, () => ' [0, 0],'),
      ' [0, 0]]',
    ])
  })

  it('says what makes it where it has no values, and where they are', async () => {
    const made = (x: Tensor): string => String(x).replace(/^.*?, /, '')
    expect(made(scalar(1).add(1))).toBe('made by add, not computed yet: await device.read(x)')
    expect(made(arange(3))).toBe('made by iota, not computed yet: await device.read(x)')
    expect(made(softmax(tensor([1, 2])))).toBe('made by customVjp, not computed yet: await device.read(x)')
    expect(made(await device.realize(arange(3)))).toBe('on a device: await device.read(x)')
    await device.compile((x: Tensor) => {
      expect(made(x)).toBe('argument 0 of a function that is being traced: it has no values yet')
      return x
    })(tensor([1]))
  })

  it('is what console.log shows of it, alone and in a tree', () => {
    expect(inspect(tensor([1, 2]))).toBe('Tensor f32[2] [1, 2]')
    expect(inspect({ w: tensor([[1], [2]]) })).toBe('{\n  w: Tensor f32[2,1]\n  [[1],\n   [2]]\n}')
  })
})

describe('the JSON of a tensor', () => {
  it('holds dtype, shape and values of the host; what JSON cannot write is a string', () => {
    expect(
      JSON.stringify(
        tensor([
          [1, NaN],
          [-Infinity, 4],
        ]),
      ),
    ).toBe('{"dtype":"f32","shape":[2,2],"values":[[1,"NaN"],["-Infinity",4]]}')
    expect(JSON.stringify(tensor([true]))).toBe('{"dtype":"bool","shape":[1],"values":[true]}')
  })

  it('never grows with the graph, nor with the elements', () => {
    let x = tensor([1])
    for (let i = 0; i < 60; i++) x = relu(x.mul(x))
    expect(JSON.stringify(x)).toBe('{"dtype":"f32","shape":[1],"op":"where"}')
    fc.assert(
      fc.property(fc.array(fc.nat(40), { maxLength: 4 }), (shape) => {
        const filled = zeros(shape)
        const length = JSON.stringify(filled).length
        return length <= 100 + 4 * 1000 * (1 + shape.length) && (filled.size <= 1000 || length < 100)
      }),
    )
  })
})

describe('reading', () => {
  const shapes = fc.array(fc.nat(4), { maxLength: 3 })

  it('toArray is the inverse of tensor', async () => {
    await fc.assert(
      fc.asyncProperty(shapes, fc.constantFrom('f32', 'f16', 'i32', 'bool'), async (shape, dtype) => {
        const x = iota([shape.reduce((a, b) => a * b, 1)], 0)
          .rem(2)
          .reshape(shape)
          .cast(dtype)
        const nested = await device.toArray(x)
        const again = tensor(nested, dtype === 'bool' ? { shape, dtype } : { shape, dtype })
        expect(await device.toArray(again)).toEqual(nested)
        expect(await device.read(again)).toEqual(await device.read(x))
      }),
      { numRuns: 60 },
    )
  })

  it('toArray nests row by row, and gives booleans of bool and numbers of f16', async () => {
    expect(
      await device.toArray(
        tensor([
          [1, 2, 3],
          [4, 5, 6],
        ]).transpose(),
      ),
    ).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ])
    expect(await device.toArray(tensor([[1, 0]]).cast('bool'))).toEqual([[true, false]])
    expect(await device.toArray(tensor([0.5, 2], { dtype: 'f16' }))).toEqual([0.5, 2])
    expect(await device.toArray(scalar(3).add(1))).toBe(4)
  })

  it('item is one number, whatever the shape; more or fewer are an error', async () => {
    expect(await device.item(tensor([[2.5]]).add(1))).toBe(3.5)
    expect(await device.item(tensor([true]))).toBe(1)
    await expect(device.item(zeros([2]))).rejects.toThrow('item: takes a tensor of one element, got [2]')
    await expect(device.item(zeros([0]))).rejects.toThrow('item: takes a tensor of one element, got [0]')
  })

  it('readTree puts the elements in the place of every tensor, in one plan, and keeps the rest', async () => {
    const x = tensor([1, 2])
    const read = await device.readTree({ b: [x.add(1), 'name'] as const, a: { s: x.sum() }, n: 7, none: undefined })
    expect(read).toEqual({
      b: [new Float32Array([2, 3]), 'name'],
      a: { s: new Float32Array([3]) },
      n: 7,
      none: undefined,
    })
    const sum: ArrayLike<number> = read.a.s // the type knows the tree
    expect(sum[0]).toBe(3)
  })
})
