/** Both forms of cpu agree where a random program (test/proof/fuzz.test.ts) seldom comes: long kernels, cropping, rounded indices. */
import { describe, expect, it } from 'vitest'
import { tensor } from '../../../src/tensor/create.ts'
import type { Device } from '../../../src/tensor/device.ts'
import { makeNode } from '../../../src/graph/node.ts'
import { Tensor } from '../../../src/tensor/tensor.ts'
import { cpuDevice, cpuForms } from '../../support/device.ts'
import { configurations, specification } from '../../../proof/devices.ts'

const grid = (n: number, phase: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => Math.round(Math.sin(i * 1.7 + phase) * 64) / 32)

const bits = async (device: Device, xs: readonly Tensor[]): Promise<readonly unknown[]> =>
  Promise.all(xs.map(async (x) => [x.dtype, x.shape, ...(await device.read(x))]))

describe('both forms of cpu', () => {
  const [fused, plain] = [cpuDevice({ fused: true }), specification.open()]

  it('agree on every half: a result in f16 is rounded once, from f64', async () => {
    const every = tensor(
      Uint16Array.from({ length: 65536 }, (_, i) => i),
      { dtype: 'f16' },
    )
    const f = (x: Tensor): readonly Tensor[] => [
      x.exp(),
      x.log(),
      x.sqrt(),
      x.sin(),
      x.cos(),
      x.tanh(),
      x.sigmoid(),
      x.erf(),
      x.div(3),
      x.mul(x),
      x.add(0.1),
      x.rem(0.7),
    ]
    expect(await bits(fused, await fused.compile(f)(every))).toEqual(await bits(plain, await plain.compile(f)(every)))
  })

  it('agree on sums along any axis that lose digits unless they round once', async () => {
    const x = tensor(
      Float32Array.from({ length: 40 * 60 }, (_, i) => (i % 7 === 0 ? 2 ** 24 : i % 7 === 3 ? -(2 ** 24) : i / 7)),
      { shape: [40, 60] },
    )
    const f = (a: Tensor): readonly Tensor[] => [a.sum(0), a.sum(1), a.sum(), a.transpose().sum(0)]
    expect(await bits(fused, await fused.compile(f)(x))).toEqual(await bits(plain, await plain.compile(f)(x)))
  })

  it('agree on kernels longer than a block of elements, and on blocks that end inside a row', async () => {
    const n = 5003
    const x = tensor(grid(3 * n, 0), { shape: [3, n] })
    const f = (a: Tensor): readonly Tensor[] => [
      a.transpose().mul(2).add(a.sum(0).expandDims(1)),
      a.exp().sum(1),
      a.reshape([n, 3]).max(1),
      a.cast('f16').add(1).sum(0),
      a.reverse(1).slice([0, 3, 2], [7]),
    ]
    expect(await bits(fused, await fused.compile(f)(x))).toEqual(await bits(plain, await plain.compile(f)(x)))
  })
})

describe.each(configurations.map((c) => [c.name, c] as const))('%s', (_, { open }) => {
  it('sums −0 to 0, over no axes as over one: a sum begins with 0', async () => {
    const x = tensor([-0], { shape: [1] })
    const f = (a: Tensor): readonly Tensor[] => [
      new Tensor(makeNode('reduceSum', { axes: [], dtype: 'f32' }, [a.node])),
      a.sum(0),
    ]
    const device = open()
    expect(await bits(device, await device.compile(f)(x))).toEqual([
      ['f32', [1], 0],
      ['f32', [], 0],
    ])
  })
})

describe.each(cpuForms)('cpu, %s', (_, open) => {
  it('convolves an image that is cropped at one side and padded by as much at the other', async () => {
    const attrs = {
      stride: [1, 1],
      padLow: [-1, 0],
      padHigh: [1, 0],
      inputDilation: [1, 1],
      filterDilation: [1, 1],
      groups: 1,
      dtype: 'f32',
    } as const
    const x = tensor([1, 2, 3, 4, 5, 6]).reshape([1, 3, 2, 1])
    const w = tensor([10]).reshape([1, 1, 1, 1])
    const y = new Tensor(makeNode('conv', attrs, [x.node, w.node]))
    expect([...(await open().read(y))]).toEqual([30, 40, 50, 60, 0, 0])
  })

  it('computes an index in f16 as f16 rounds it', async () => {
    const y = new Tensor(makeNode('iota', { shape: [2052], axis: 0, dtype: 'f16' }, [])).add(1).sub(0.5)
    expect([...(await open().read(y))].slice(2046)).toEqual([2046, 2048, 2048, 2048, 2052, 2052])
  })
})
