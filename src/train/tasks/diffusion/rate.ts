/** How fast a device computes what most of a training step consists of. */
import { valueAndGrad } from '../../../autograd/index.ts'
import { flopsOf } from '../../../compiler/cost.ts'
import { widthOf } from '../../../models/registry.ts'
import { conv2d, silu } from '../../../nn/index.ts'
import type { Device } from '../../../tensor/device.ts'
import { key, normal, type Key } from '../../../tensor/random.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { precisions, withPrecision } from '../../../tensor/withPrecision.ts'
import type { DiffusionRun } from './diffusionConfig.ts'

/** Seconds of measuring: long enough for code to be compiled. */
const measuringSeconds = 0.6

/** Floating-point operations a second in a convolution of the network's first stage and its gradient, at the device's best. */
export const measureRate = async (device: Device, config: DiffusionRun): Promise<number> => {
  const width = widthOf(config.model)
  const layer = conv2d(width, width, 3, { padding: 1 })
  const shape = [config.batch, config.height, config.width, width]
  const [params, x] = await device.compile((k: Key) => [layer.init(k), normal(k, shape)] as const)(key(0))
  const run = device.compile((p: typeof params, input: Tensor) =>
    valueAndGrad(
      withPrecision(precisions[config.precision ?? 'f32'], (q: typeof params) =>
        silu(layer.apply(q, input)).square().mean(),
      ),
    )(p),
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
