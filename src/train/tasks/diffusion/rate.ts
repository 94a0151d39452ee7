/** How fast a device computes what most of a training step consists of. */
import { widthOf } from '../../../models/registry.ts'
import type { Device } from '../../../tensor/device.ts'
import { convolutionRate } from '../convolutionRate.ts'
import type { DiffusionRun } from './diffusionConfig.ts'

/** Floating-point operations a second in a convolution of the network's first stage and its gradient, at the device's best. */
export const measureRate = (
  device: Device,
  { batch, height, width, model, precision = 'f32' }: DiffusionRun,
): Promise<number> => convolutionRate(device, { batch, height, width, channels: widthOf(model), precision })
