/** Loops: that they are the program written out, on every backend, in every dtype, with every derivative. */
import { describe, expect, it } from 'vitest'
import { configurations, specification } from '../../proof/devices.ts'
import { useSwiftShader } from '../../proof/webgpu.ts'
import { openAdapter } from '../../src/backends/webgpu/adapter.ts'
import { backendOver } from '../../src/backends/webgpu/backend.ts'
import { grad, hvp, jvp, valueAndGrad } from '../../src/autograd/grad.ts'
import { scalar, tensor, zeros } from '../../src/tensor/create.ts'
import { deviceOn, type Device } from '../../src/tensor/device.ts'
import { scan } from '../../src/tensor/scan.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { leaves, mapTree } from '../../src/tensor/tree.ts'
import { cpuDevice } from '../support/device.ts'
import { inSegments, loops, recurrent, recurrentAt, unrolled } from '../support/loops.ts'

useSwiftShader()
const backend = backendOver(await openAdapter({ software: true }))
const apart = backendOver(await openAdapter({ software: true, limits: 'least' }), { apart: true })
const lasting = { close: () => Promise.resolve() }

const devices: readonly (readonly [name: string, open: () => Device, tolerance: number])[] = [
  [specification.name, specification.open, 0],
  ...configurations.map(({ name, open, tolerance }) => [name, open, tolerance === undefined ? 0 : 2 ** -12] as const),
  ['webgpu', () => deviceOn({ ...backend, ...lasting }), 2 ** -12],
  ['webgpu, memory apart', () => deviceOn({ ...apart, ...lasting }), 2 ** -12],
]

const read = async (device: Device, tree: unknown): Promise<readonly (readonly number[])[]> => {
  const realized = await device.realize(tree)
  return Promise.all(leaves(realized).map(async (x) => Array.from(await device.read(x), Number)))
}

/** Equal in bits where the tolerance is 0; else relative to the largest number of its tensor. */
const expectClose = (
  found: readonly (readonly number[])[],
  wanted: readonly (readonly number[])[],
  tolerance: number,
): void => {
  if (tolerance === 0) {
    expect(found).toEqual(wanted)
    return
  }
  expect(found.map((x) => x.length)).toEqual(wanted.map((x) => x.length))
  found.forEach((xs, k) => {
    const ys = wanted[k] ?? []
    const most = Math.max(1e-3, ...ys.map(Math.abs))
    xs.forEach((x, i) => {
      expect(Math.abs(x - (ys[i] ?? NaN)) / most).toBeLessThanOrEqual(tolerance)
    })
  })
}

describe.each(devices)('%s', (_, open, tolerance) => {
  it.each(Object.keys(loops))('%s', async (name) => {
    const program = loops[name]
    const device = open()
    const found = program?.(scan) ?? []
    const wanted = program?.(unrolled) ?? []
    expect(found.map((x) => `${x.dtype}[${x.shape.join()}]`)).toEqual(
      wanted.map((x) => `${x.dtype}[${x.shape.join()}]`),
    )
    expectClose(await read(device, found), await read(specification.open(), wanted), tolerance)
  })

  it.each([false, true])('gradients are those of the program written out, backwards: %s', async (reverse) => {
    const device = open()
    const found = await read(device, valueAndGrad(recurrent(scan, reverse))(recurrentAt()))
    const wanted = await read(specification.open(), valueAndGrad(recurrent(unrolled, reverse))(recurrentAt()))
    expectClose(found, wanted, Math.max(tolerance, 2 ** -18))
  })

  it('gradients with checkpoints are those without', async () => {
    const device = open()
    const wanted = await read(device, valueAndGrad(recurrent(scan))(recurrentAt()))
    for (const checkpoint of [true, 2, 7, 100])
      expectClose(
        await read(device, valueAndGrad(recurrent(inSegments(checkpoint)))(recurrentAt())),
        wanted,
        Math.max(tolerance, 2 ** -18),
      )
  })
})

const f64 = <T>(tree: T): T => mapTree(tree, (x) => x.cast('f64'))

describe('derivatives', () => {
  const device = cpuDevice()
  const point = f64(recurrentAt())
  const direction = mapTree(point, (x) => x.mul(3).sin())

  it.each([
    ['whole', scan],
    ['in segments', inSegments(3)],
  ])('jvp and hvp of a loop, %s, are those of the program written out', async (_, loop) => {
    const [f, g] = [recurrent(loop), recurrent(unrolled)]
    expectClose(
      await read(device, jvp(f, [point], [direction])),
      await read(device, jvp(g, [point], [direction])),
      1e-12,
    )
    expectClose(await read(device, hvp(f, point, direction)), await read(device, hvp(g, point, direction)), 1e-11)
  })

  it.each(Object.keys(loops).filter((name) => !name.startsWith('odd')))(
    'gradients of its constants and elements: %s',
    async (name) => {
      const of = (loop: typeof scan) => (p: Tensor) => {
        const scaled: typeof scan = (body, init, xs, options) =>
          loop(
            (c, x) =>
              body(
                c,
                mapTree(x, (v) => v.mul(p.cast(v.dtype))),
              ),
            init,
            xs,
            options,
          )
        const results = loops[name]?.(scaled) ?? []
        return results.reduce((sum, x) => sum.add(x.cast('f64').sin().sum()), scalar(0, 'f64'))
      }
      expectClose(
        await read(device, grad(of(scan))(scalar(1.1, 'f64'))),
        await read(device, grad(of(unrolled))(scalar(1.1, 'f64'))),
        1e-5,
      )
    },
  )
})
void tensor
void zeros
