/**
 * What a configuration takes at least, in closed form: what cannot work is refused before anything of its size is made. The plan of
 * the step says exactly, but is itself too large to be made for a batch of 10⁹.
 */
import { showBytes } from '../../../compiler/print.ts'
import { bytesPerElement } from '../../../graph/dtype.ts'
import { leastWeightsOf, widthOf } from '../../../models/registry.ts'
import { product } from '../../../prelude/array.ts'
import { E } from '../../../prelude/fp.ts'
import type { Device } from '../../../tensor/device.ts'
import { decaysOf } from '../../averages.ts'
import { trainError, type TrainError } from '../../trainError.ts'
import { requireBytes } from '../fitting.node.ts'
import type { DiffusionRun } from './diffusionConfig.ts'
import { spaceOf } from './space.ts'

/** Bytes of one typed array at most, on every engine that we run on. */
const longestArray = 2 ** 32 - 1

/** Bytes of the examples that go through the network together, u8 of pictures or f32 of latents. */
const pictureBytes = (config: DiffusionRun): number => {
  const { shape, dtype } = spaceOf(config).example
  return config.batch * product(shape) * bytesPerElement[dtype]
}

/** Bytes of activations at once: the first convolution's result, which the last block takes too, and one more of its size; f32, or halves. */
const activationBytes = (config: DiffusionRun): number => {
  const { batch, model, precision } = config
  const [height, width] = spaceOf(config).shape
  return (precision === 'mixed' ? 2 : 4) * 2 * batch * height * width * widthOf(model)
}

/** Bytes of weights, their averages, and Adam's two moments. */
const weightBytes = ({ model, ema }: DiffusionRun): number => 4 * (3 + decaysOf(ema).length) * leastWeightsOf(model)

/**
 * Bytes that a step takes at least.
 *
 * @returns never more than the plan of the step
 */
export const leastMemory = (config: DiffusionRun): number => activationBytes(config) + weightBytes(config)

/** Left when it is certain, without a plan, that a step does not fit. @param memoryLimit the device's, in bytes */
export const requireLeast = (
  device: Pick<Device, 'name' | 'memoryLimit'>,
  config: DiffusionRun,
): E.Either<TrainError, void> => {
  const fitting = requireBytes(device, leastMemory(config))
  if (E.isLeft(fitting)) return fitting
  const pictures = pictureBytes(config)
  return pictures > longestArray
    ? E.left(
        trainError(
          'MEMORY',
          `the pictures of a batch take ${showBytes(pictures)}, and ${showBytes(longestArray)} is the most: use a smaller batch (and accumulate), or smaller pictures`,
        ),
      )
    : E.right(undefined)
}
