/** What a step takes at least, in closed form: what cannot work is refused before anything of its size is made. */
import { totalmem } from 'node:os'
import { showBytes } from '../../../compiler/print.ts'
import type { AutoencoderConfig } from '../../../models/autoencoder/registry.ts'
import { E } from '../../../prelude/fp.ts'
import type { Device } from '../../../tensor/device.ts'
import { lessMemory } from '../../deviceErrors.ts'
import { trainError, type TrainError } from '../../trainError.ts'
import type { AutoencoderRun } from './autoencoderConfig.ts'

/** Channels at the pictures' size. */
export const channelsAtFullSize = (config: AutoencoderConfig): number =>
  config.kind === 'tiny' ? (config.width ?? 64) : (config.widths[0] ?? 1)

/** Bytes of activations at once: the first convolution's result and one more of its size; f32, or halves. */
const activationBytes = ({ batch, crop, autoencoder, precision }: AutoencoderRun): number =>
  (precision === 'mixed' ? 2 : 4) * 2 * batch * crop * crop * channelsAtFullSize(autoencoder)

/** Left when it is certain, without a plan, that a step does not fit. */
export const requireLeast = (
  { name, memoryLimit }: Pick<Device, 'name' | 'memoryLimit'>,
  config: AutoencoderRun,
): E.Either<TrainError, void> => {
  const [needed, limit] = [activationBytes(config), Math.min(memoryLimit, totalmem())]
  return needed > limit
    ? E.left(
        trainError(
          'MEMORY',
          `a step needs more than ${showBytes(needed)}, and '${name}' can use ${showBytes(limit)}: ${lessMemory(name)}`,
        ),
      )
    : E.right(undefined)
}
