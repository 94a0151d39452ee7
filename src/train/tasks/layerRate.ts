/** How fast a device computes a layer that most of a training step consists of. */
import { valueAndGrad } from '../../autograd/index.ts'
import { flopsOf } from '../../compiler/cost.ts'
import { silu, type Module } from '../../nn/index.ts'
import type { Shape } from '../../graph/shape.ts'
import type { Device } from '../../tensor/device.ts'
import { key, normal, type Key } from '../../tensor/random.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { precisions, withPrecision } from '../../tensor/withPrecision.ts'
import type { RunConfig } from '../runConfig.ts'

/** Seconds of measuring: long enough for code to be compiled. */
const measuringSeconds = 0.6

/** Floating-point operations a second in a layer and its gradient, at the device's best. @param shape of its input */
export const layerRate = async <P>(
  device: Device,
  layer: Module<P>,
  shape: Shape,
  precision: NonNullable<RunConfig['precision']>,
): Promise<number> => {
  const [params, x] = await device.compile((k: Key) => [layer.init(k), normal(k, shape)] as const)(key(0))
  const run = device.compile((p: P, input: Tensor) =>
    valueAndGrad(withPrecision(precisions[precision], (q: P) => silu(layer.apply(q, input)).square().mean()))(p),
  )
  const flops = flopsOf(run.plan(params, x))
  const runOnce = async (): Promise<void> => {
    const [loss] = await run(params, x)
    await device.read(loss)
  }
  await runOnce() // a device may compile its kernels now, which takes longer than all that follows
  let best = Infinity
  const begin = performance.now()
  while (performance.now() - begin < 1000 * measuringSeconds) {
    const start = performance.now()
    await runOnce()
    best = Math.min(best, performance.now() - start)
  }
  return (1000 * flops) / best
}
