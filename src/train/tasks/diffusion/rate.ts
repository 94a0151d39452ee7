/** How fast a device computes what most of a training step consists of. */
import { widthOf } from '../../../models/registry.ts'
import type { Device } from '../../../tensor/device.ts'
import { convolutionRate } from '../convolutionRate.ts'
import type { DiffusionRun } from './diffusionConfig.ts'
import { spaceOf } from './space.ts'

/** Floating-point operations a second in a convolution of the network's first stage and its gradient, at the device's best. */
export const measureRate = (device: Device, config: DiffusionRun): Promise<number> => {
  const { batch, model, precision = 'f32' } = config
  const [height, width] = spaceOf(config).shape
  return convolutionRate(device, { batch, height, width, channels: widthOf(model), precision })
}
