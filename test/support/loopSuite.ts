/** Loops on a device, held to the program written out on the specification. */
import { describe, expect, it } from 'vitest'
import { specification } from '../../proof/devices.ts'
import { valueAndGrad } from '../../src/autograd/grad.ts'
import type { Device } from '../../src/tensor/device.ts'
import { scan } from '../../src/tensor/scan.ts'
import { leaves } from '../../src/tensor/tree.ts'
import { inSegments, loops, recurrent, recurrentAt, unrolled } from './loops.ts'

/** A device by its name, and the error that it may make: 0 where it gives the specification's bits. */
export type Tried = readonly [name: string, open: () => Device, tolerance: number]

/** The numbers of all leaves of a tree. */
export const read = async (device: Device, tree: unknown): Promise<readonly (readonly number[])[]> => {
  const realized = await device.realize(tree)
  return Promise.all(leaves(realized).map(async (x) => Array.from(await device.read(x), Number)))
}

/** Equal in bits where the tolerance is 0; else relative to the largest number of its tensor. */
export const expectClose = (
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

/** What holds of loops on every device. */
export const describeLoops = (devices: readonly Tried[]): void => {
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
}
