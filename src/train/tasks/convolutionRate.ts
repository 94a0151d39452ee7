/** How fast a device computes what most of a training step consists of. */
import { valueAndGrad } from '../../autograd/index.ts'
import { flopsOf } from '../../compiler/cost.ts'
import { conv2d, silu } from '../../nn/index.ts'
import type { Device } from '../../tensor/device.ts'
import { key, normal, type Key } from '../../tensor/random.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { precisions, withPrecision } from '../../tensor/withPrecision.ts'
import type { RunConfig } from '../runConfig.ts'

/** Seconds of measuring: long enough for code to be compiled. */
const measuringSeconds = 0.6

/** A convolution to be measured. */
export interface Measured extends Pick<RunConfig, 'batch' | 'precision'> {
  /** Size of the pictures in pixels, and channels of the layer. */
  readonly height: number
  readonly width: number
  readonly channels: number
}

/** Floating-point operations a second in a 3×3 convolution and its gradient, at the device's best. */
export const convolutionRate = async (
  device: Device,
  { batch, height, width, channels, precision = 'f32' }: Measured,
): Promise<number> => {
  const layer = conv2d(channels, channels, 3, { padding: 1 })
  const shape = [batch, height, width, channels]
  const [params, x] = await device.compile((k: Key) => [layer.init(k), normal(k, shape)] as const)(key(0))
  const run = device.compile((p: typeof params, input: Tensor) =>
    valueAndGrad(
      withPrecision(precisions[precision], (q: typeof params) => silu(layer.apply(q, input)).square().mean()),
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
