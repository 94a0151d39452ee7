/** Loops: that they are the program written out, on every backend, in every dtype, with every derivative. */
import { describe, it } from 'vitest'
import { configurations, specification } from '../../proof/devices.ts'
import { grad, hvp, jvp } from '../../src/autograd/grad.ts'
import { scalar } from '../../src/tensor/create.ts'
import { scan } from '../../src/tensor/scan.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { mapTree } from '../../src/tensor/tree.ts'
import { cpuDevice } from '../support/device.ts'
import { inSegments, loops, recurrent, recurrentAt, unrolled } from '../support/loops.ts'
import { describeLoops, expectClose, read, type Tried } from '../support/loopSuite.ts'

const kept: ReadonlySet<string> = new Set(['cpu, fused', 'cpu, fused, without any pass', 'wasm', 'wasm, three threads'])

const devices: readonly Tried[] = [
  [specification.name, specification.open, 0],
  ...configurations
    .filter(({ name }) => kept.has(name))
    .map(({ name, open, tolerance }) => [name, open, tolerance === undefined ? 0 : 2 ** -12] as const),
]

describeLoops(devices)

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
