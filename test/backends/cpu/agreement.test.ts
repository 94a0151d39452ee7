/** Both forms of cpu agree bit for bit, on random programs and on their gradients; compiling changes nothing either. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { grad } from '../../../src/autograd/index.ts'
import { constant, tensor } from '../../../src/tensor/create.ts'
import type { Device } from '../../../src/tensor/device.ts'
import { makeNode } from '../../../src/graph/node.ts'
import { Tensor } from '../../../src/tensor/tensor.ts'
import { cpuDevice, cpuForms } from '../../support/device.ts'
import { configurations, specification } from '../../../proof/devices.ts'
import { programs, runProgram, type Step } from '../../../proof/fuzz/programs.ts'

const grid = (n: number, phase: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => Math.round(Math.sin(i * 1.7 + phase) * 64) / 32)

const inputs = (): readonly Tensor[] => [
  tensor(grid(12, 0), { shape: [3, 4] }),
  tensor(grid(24, 1), { shape: [2, 3, 4] }),
  tensor(grid(4, 2)),
  tensor(Int32Array.from([3, -1, 2, 0, 7, 100000]), { shape: [2, 3] }),
  tensor([1.5, -0.25, 1000, 0.1], { dtype: 'f16' }),
  tensor(0.5),
]

/** The last values, one of the inputs, one value twice, and a view: everything that an output can be. */
const outputsOf = (steps: readonly Step[], xs: readonly Tensor[]): readonly Tensor[] => {
  const values = runProgram(steps, xs)
  const last = values.slice(-4)
  const views = last.slice(-1).map((x) => x.transpose())
  return [...last, ...xs.slice(0, 1), ...last.slice(0, 1), ...views, ...values.slice(0, 2)]
}

const bits = async (device: Device, xs: readonly Tensor[]): Promise<readonly unknown[]> =>
  Promise.all(xs.map(async (x) => [x.dtype, x.shape, ...(await device.read(x))]))

const compiled = async (
  device: Device,
  f: (...xs: readonly Tensor[]) => readonly Tensor[],
): Promise<readonly unknown[]> => bits(device, await device.compile(f)(...inputs()))

/** Σ of all float outputs: a loss. */
const lossOf =
  (steps: readonly Step[]) =>
  (params: readonly Tensor[], rest: readonly Tensor[]): Tensor =>
    runProgram(steps, [...params, ...rest])
      .slice(-5)
      .filter((y) => y.dtype !== 'bool')
      .reduce((sum, y) => sum.add(y.cast('f32').mul(0.25).sum()), constant(0))

describe('both forms of cpu', () => {
  const [fused, plain] = [cpuDevice({ fused: true }), specification.open()]

  it('give the same bits for any program of 10 to 40 operations, compiled or realized', async () => {
    await fc.assert(
      fc.asyncProperty(programs(10, 40), async (steps) => {
        const f = (...xs: readonly Tensor[]): readonly Tensor[] => outputsOf(steps, xs)
        const expected = await compiled(plain, f)
        expect(await compiled(fused, f)).toEqual(expected)
        expect(await bits(fused, await fused.realize(f(...inputs())))).toEqual(expected)
        expect(await bits(plain, await plain.realize(f(...inputs())))).toEqual(expected)
      }),
      { seed: 11, numRuns: 250 },
    )
  }, 60_000)

  it.each(configurations.map((c) => [c.name, c] as const))(
    '%s: gives the bits of the specification',
    async (_, { open }) => {
      const device = open()
      await fc.assert(
        fc.asyncProperty(programs(10, 40), async (steps) => {
          const f = (...xs: readonly Tensor[]): readonly Tensor[] => outputsOf(steps, xs)
          expect(await compiled(device, f)).toEqual(await compiled(plain, f))
        }),
        { seed: 13, numRuns: 50 },
      )
    },
    60_000,
  )

  it('give the same bits for the gradient of any program', async () => {
    await fc.assert(
      fc.asyncProperty(programs(10, 30), async (steps) => {
        const f = (...xs: readonly Tensor[]): readonly Tensor[] => {
          const isParameter = (x: Tensor): boolean => x.dtype === 'f32'
          return grad(lossOf(steps))(
            xs.filter(isParameter),
            xs.filter((x) => !isParameter(x)),
          )
        }
        expect(await compiled(fused, f)).toEqual(await compiled(plain, f))
      }),
      { seed: 12, numRuns: 120 },
    )
  }, 60_000)

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
