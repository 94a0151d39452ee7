/** How fast a device computes what most of a training step of convolutions consists of. */
import { conv2d } from '../../nn/index.ts'
import type { Device } from '../../tensor/device.ts'
import type { RunConfig } from '../runConfig.ts'
import { layerRate } from './layerRate.ts'

/** A convolution to be measured. */
export interface Measured extends Pick<RunConfig, 'batch' | 'precision'> {
  /** Size of the pictures in pixels, and channels of the layer. */
  readonly height: number
  readonly width: number
  readonly channels: number
}

/** Floating-point operations a second in a 3×3 convolution and its gradient, at the device's best. */
export const convolutionRate = (
  device: Device,
  { batch, height, width, channels, precision = 'f32' }: Measured,
): Promise<number> =>
  layerRate(device, conv2d(channels, channels, 3, { padding: 1 }), [batch, height, width, channels], precision)
