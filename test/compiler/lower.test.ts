/** Lowering: kernels that read their operands in order get them so, whatever view they come through. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { grad } from '../../src/autograd/index.ts'
import { argsort, gather, scatterAdd } from '../../src/tensor/combine.ts'
import { tensor, zeros } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice } from '../support/device.ts'

const device = cpuDevice()
const data = tensor(
  Float32Array.from({ length: 60 }, (_, i) => (i * 37) % 61),
  { shape: [5, 4, 3] },
)
const indices = tensor(Int32Array.from([9, 9, 2, 0, 3, 1, 4, 4]))

/** Views of [5, 4, 3]: all of it, a part behind its beginning, a stride, a reversal, another order of axes. */
const views: { readonly [name: string]: (x: Tensor) => Tensor } = {
  whole: (x) => x,
  'a slice behind the beginning': (x) => x.slice([2]),
  'a slice of an inner axis': (x) => x.slice([], [1, 3]),
  'every second row': (x) => x.slice([0, 5, 2]),
  reversed: (x) => x.reverse(0),
  transposed: (x) => x.transpose([2, 0, 1]),
}

const kernels: { readonly [name: string]: (x: Tensor, index: Tensor) => Tensor } = {
  gather: (x, index) => gather(x, index),
  'gather along an inner axis': (x, index) => gather(x, index, 1),
  'scatterAdd of updates': (x, index) => scatterAdd(index.slice([0, x.shape[0] ?? 0]), x, 6),
  argsort: (x) => argsort(x, 1).cast('f32'),
}

describe('a kernel that walks its operands in order', () => {
  it.each(Object.keys(kernels).flatMap((k) => Object.keys(views).map((v) => [k, v] as const)))(
    '%s: reads %s as if it had been copied',
    async (kernel, view) => {
      const f = device.compile((x: Tensor, index: Tensor) => kernels[kernel]?.(views[view]?.(x) ?? x, index))
      const copied = await device.realize((views[view]?.(data) ?? data).add(0))
      const plain = device.compile((x: Tensor, index: Tensor) => kernels[kernel]?.(x, index))
      const expected = (await plain(copied, indices)) ?? copied
      expect(await device.read((await f(data, indices)) ?? data)).toEqual(await device.read(expected))
    },
  )

  it('takes an index that is itself a part of a longer one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 6 }), async (start) => {
        const f = device.compile((x: Tensor, index: Tensor) => gather(x, index.slice([start, start + 2])))
        const rows = [9, 9, 2, 0, 3, 1, 4, 4].slice(start, start + 2).map((i) => Math.min(i, 4))
        const all = [...(await device.read(data))]
        expect([...(await device.read(await f(data, indices)))]).toEqual(
          rows.flatMap((r) => all.slice(12 * r, 12 * r + 12)),
        )
      }),
      { seed: 51, numRuns: 7 },
    )
  })
})

describe('axes that are joined although the strides do not allow it', () => {
  const heads = tensor(
    Float32Array.from({ length: 2 * 3 * 5 * 16 }, (_, i) => Math.sin(i)),
    { shape: [2, 3, 5, 16] },
  )
  const joined = (x: Tensor): Tensor => x.transpose([0, 2, 1, 3]).reshape([2, 5, 48])
  const weight = tensor(
    Float32Array.from({ length: 48 * 7 }, (_, i) => Math.cos(i)),
    { shape: [48, 7] },
  )
  const uses: { readonly [name: string]: readonly [(x: Tensor, w: Tensor) => Tensor, kinds: readonly string[]] } = {
    'a contraction over them': [(x, w) => joined(x).matmul(w), ['gemm']],
    'a contraction over the others': [(x, w) => grad((v: Tensor) => joined(x).matmul(v).sin().sum())(w), ['gemm']],
    'a sum over them': [(x) => joined(x).square().sum(2), ['reduce']],
    'what has no axes': [(x) => joined(x).mul(2), ['elementwise']],
  }

  it.each(Object.keys(uses))('%s: is read as it lies, without a copy, with the same bits', async (name) => {
    const [f, kinds] = uses[name] ?? [joined, []]
    const [plan, plain] = [device.compile(f).plan(heads, weight), cpuDevice({ fused: false })]
    expect(plan.kernels.filter((k) => k.reason === 'reshape')).toEqual([])
    expect(plan.kernels.map((k) => k.kind)).toEqual(expect.arrayContaining([...kinds]))
    expect(await device.read(await device.compile(f)(heads, weight))).toEqual(
      await plain.read(await plain.compile(f)(heads, weight)),
    )
  })

  it('a movement of it, or a convolution, reads a copy', async () => {
    const [y, z] = [(x: Tensor) => joined(x).reverse(2), (x: Tensor) => joined(x).pad([0, 0, 1], [0, 0, 1])]
    const plain = cpuDevice({ fused: false })
    for (const f of [y, z])
      expect(await device.read(await device.compile(f)(heads))).toEqual(await plain.read(await plain.compile(f)(heads)))
    expect(
      device
        .compile(y)
        .plan(heads)
        .kernels.filter((k) => k.reason === 'reshape').length,
    ).toBe(1)
  })
})

describe('zeros of a pad', () => {
  const around = (x: Tensor): Tensor => x.slice([0, 2]).pad([1], [5])

  it('are written, whatever the arena held before', async () => {
    const f = device.compile((x: Tensor) => argsort(around(x.add(argsort(x).sum().cast('f32')).neg())))
    const x = tensor([5, 6, 7, 8, 1, 2, 3, 4])
    for (let i = 0; i < 2; i++) expect([...(await device.read(await f(x)))]).toEqual([2, 1, 0, 3, 4, 5, 6, 7])
  })

  it('are written, whatever a donated argument left in the memory of the result', async () => {
    const negate = device.compile((x: Tensor) => x.neg(), { donate: [0] })
    const pad = device.compile(around)
    for (let i = 0; i < 3; i++) {
      await negate(tensor(new Float32Array(8).fill(9)))
      expect([...(await device.read(await pad(tensor([1, 2, 3]))))]).toEqual([0, 1, 2, 0, 0, 0, 0, 0])
    }
  })

  it('what is computed out of no elements is a literal, without a kernel of its own', async () => {
    const nothing = zeros([0, 3])
    const f = device.compile((x: Tensor) =>
      x
        .sum([0])
        .add(x.transpose([1, 0]).matmul(x).sum())
        .exp(),
    )
    const plan = f.plan(nothing)
    expect(plan.kernels.map((k) => k.kind)).not.toContain('gemm')
    expect([...(await device.read(await f(nothing)))]).toEqual([1, 1, 1])
  })
})
