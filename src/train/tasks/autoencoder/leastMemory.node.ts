/** What a step takes at least, in closed form: what cannot work is refused before anything of its size is made. */
import type { AutoencoderConfig } from '../../../models/autoencoder/registry.ts'
import type { E } from '../../../prelude/fp.ts'
import type { Device } from '../../../tensor/device.ts'
import type { TrainError } from '../../trainError.ts'
import { requireBytes } from '../fitting.node.ts'
import type { AutoencoderRun } from './autoencoderConfig.ts'

/** Channels at the pictures' size. */
export const channelsAtFullSize = (config: AutoencoderConfig): number =>
  config.kind === 'tiny' ? (config.width ?? 64) : (config.widths[0] ?? 1)

/** Bytes of activations at once: the first convolution's result and one more of its size; f32, or halves. */
const activationBytes = ({ batch, crop, autoencoder, precision }: AutoencoderRun): number =>
  (precision === 'mixed' ? 2 : 4) * 2 * batch * crop * crop * channelsAtFullSize(autoencoder)

/** Left when it is certain, without a plan, that a step does not fit. */
export const requireLeast = (
  device: Pick<Device, 'name' | 'memoryLimit'>,
  config: AutoencoderRun,
): E.Either<TrainError, void> => requireBytes(device, activationBytes(config))
