/** The task of an autoencoder with its data. */
import { autoencoderOf, type BuiltAutoencoder } from '../../../models/autoencoder/registry.ts'
import { pipe, TE } from '../../../prelude/fp.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { openPictures } from '../../pictures/openPictures.node.ts'
import { convolutionRate } from '../convolutionRate.ts'
import type { AnySubject, Subject } from '../subject.ts'
import type { AutoencoderRun } from './autoencoderConfig.ts'
import { autoencoderTask } from './autoencoderTask.ts'
import { channelsAtFullSize, requireLeast } from './leastMemory.node.ts'
import type { AutoencoderDraws, AutoencoderTaskParams } from './learning.ts'
import { autoencoderSource } from './source.ts'

const subjectOf = <Enc, Dec>(
  config: AutoencoderRun,
  built: BuiltAutoencoder<Enc, Dec>,
): Subject<AutoencoderTaskParams<Enc, Dec>, Tensor, AutoencoderDraws> => ({
  task: autoencoderTask(config, built),
  with: (changes) => subjectOf({ ...config, ...changes }, built),
  open: (_, tell) =>
    pipe(
      openPictures(config, tell),
      TE.map((opened) => autoencoderSource(config, built, opened)),
    ),
  survey: (tell) => openPictures(config, tell),
  requireLeast: (device) => requireLeast(device, config),
  measureRate: (device) => {
    const { batch, crop, precision = 'f32', autoencoder } = config
    const channels = channelsAtFullSize(autoencoder)
    return convolutionRate(device, { batch, height: crop, width: crop, channels, precision })
  },
})

/** What a configuration trains: an autoencoder of some family. */
export const autoencoderSubject =
  (config: AutoencoderRun): AnySubject =>
  (use) =>
    autoencoderOf(config.autoencoder)((built) => use(subjectOf(config, built)))
