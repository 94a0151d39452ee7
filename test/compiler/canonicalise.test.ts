/** Rewriting and merging: simpler graphs with the same values, and nothing merged that differs. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { constant, ones, tensor } from '../../src/tensor/create.ts'
import type { DType } from '../../src/graph/dtype.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice } from '../support/device.ts'

const device = cpuDevice()
const opsOf = (f: (x: Tensor) => Tensor, x: Tensor): readonly string[] =>
  device
    .compile(f)
    .plan(x)
    .program.nodes.map((n) => n.op)
    .filter((op) => op !== 'parameter' && op !== 'constant')

const permutation = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 })

describe('rewriting', () => {
  const x = tensor([1.5, -2, 0, 7])

  it.each<readonly [string, (x: Tensor) => Tensor]>([
    ['x · 1', (x) => x.mul(1)],
    ['1 · x', (x) => ones([4]).mul(x)],
    ['x / 1', (x) => x.div(1)],
    ['−(−x)', (x) => x.neg().neg()],
    ['a cast to its own dtype', (x) => x.cast('f64').cast('f32').cast('f32').cast('f64').cast('f32')],
    ['a transpose and its inverse', (x) => x.reshape([2, 2]).transpose().transpose().reshape([4])],
  ])('%s is x', async (_, f) => {
    expect([...(await device.read(await device.compile(f)(x)))]).toEqual([1.5, -2, 0, 7])
  })

  it('x · 1, x / 1 and −(−x) cost nothing', () => {
    expect(opsOf((x) => ones([4]).mul(x.mul(1)).div(1).neg().neg(), x)).toEqual([])
  })

  it('two transposes are one, for any two permutations', async () => {
    const data = Float32Array.from({ length: 2 * 3 * 4 * 5 }, (_, i) => i)
    const y = tensor(data, { shape: [2, 3, 4, 5] })
    const own = cpuDevice({ fused: false })
    await fc.assert(
      fc.asyncProperty(permutation, permutation, async (p, q) => {
        const f = (x: Tensor): Tensor => x.transpose(p).transpose(q)
        expect(opsOf(f, y).length).toBeLessThanOrEqual(1)
        const once = await own.realize(y.transpose(p)) // a value: nothing to rewrite
        expect(await device.read(await device.compile(f)(y))).toEqual(await own.read(once.transpose(q)))
      }),
      { seed: 41, numRuns: 60 },
    )
  })

  it('a literal half is its value, not its bits', async () => {
    const one = constant([1.5], { dtype: 'f16' }).reshape([]).broadcastTo([3])
    const f = device.compile((x: Tensor) => x.mul(one))
    expect([...(await device.read(await f(tensor([1, 2, 3], { dtype: 'f16' }))))]).toEqual([1.5, 3, 4.5])
    const bitsOfOne = constant(Uint16Array.of(1), { dtype: 'f16' }).reshape([]).broadcastTo([2]) // 2⁻²⁴
    const g = device.compile((x: Tensor) => x.mul(bitsOfOne))
    expect([...(await device.read(await g(tensor([1, 2], { dtype: 'f16' }))))]).toEqual([2 ** -24, 2 ** -23])
  })
})

describe('merging', () => {
  const [a, b] = [tensor([1, 2, 3]), tensor([4, 4, 4])]

  it('keeps a / b and b / a apart, and everything else that does not commute', async () => {
    const f = device.compile((x: Tensor, y: Tensor) => [x.div(y), y.div(x), x.less(y), y.less(x), x.rem(y), y.rem(x)])
    const found = await Promise.all((await f(a, b)).map(async (t) => [...(await device.read(t))]))
    expect(found).toEqual([
      [0.25, 0.5, 0.75],
      [4, 2, Math.fround(4 / 3)],
      [1, 1, 1],
      [0, 0, 0],
      [1, 2, 3],
      [0, 0, 1],
    ])
  })

  it('tells literals apart by every element, whatever their length', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 300 }), fc.nat(), async (n, k) => {
        const values = Float32Array.from({ length: n }, (_, i) => i)
        const other = values.with(k % n, -1)
        const f = device.compile((x: Tensor) => [x.add(constant(values)), x.add(constant(other))])
        const [same, changed] = await f(tensor(new Float32Array(n)))
        expect(await device.read(same ?? a)).toEqual(values)
        expect(await device.read(changed ?? a)).toEqual(other)
      }),
      { seed: 42, numRuns: 60 },
    )
  })

  it('tells literals apart by their dtype', async () => {
    const dtypes: readonly DType[] = ['f32', 'f64', 'f16', 'i32', 'u32', 'u8', 'bool']
    const f = device.compile((x: Tensor) =>
      dtypes.map((dtype) =>
        constant([1, 0], { dtype })
          .equal(x.cast(dtype))
          .cast('u8')
          .add(dtype === 'u8' ? 1 : 0),
      ),
    )
    const found = await Promise.all((await f(tensor([1, 0]))).map(async (t) => [...(await device.read(t))]))
    expect(found).toEqual(dtypes.map((dtype) => (dtype === 'u8' ? [2, 2] : [1, 1])))
  })
})
