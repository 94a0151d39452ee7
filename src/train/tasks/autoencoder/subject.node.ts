/** The task of an autoencoder with its data. */
import { autoencoderOf, type BuiltAutoencoder } from '../../../models/autoencoder/registry.ts'
import { pipe, TE } from '../../../prelude/fp.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { names } from '../../store.ts'
import { openPictures } from '../../pictures/openPictures.node.ts'
import { convolutionRate } from '../convolutionRate.ts'
import type { AnySubject, Subject } from '../subject.ts'
import type { AutoencoderRun } from './autoencoderConfig.ts'
import { autoencoderTask } from './autoencoderTask.ts'
import { openFeatures } from './features.node.ts'
import type { FrozenFeatures } from './frozenFeatures.ts'
import { channelsAtFullSize, requireLeast } from './leastMemory.node.ts'
import type { AutoencoderDraws, AutoencoderTaskParams } from './learning.ts'
import { autoencoderSource } from './source.ts'

/** What sees, from the moment on at which data are opened; steps are planned and made after that. */
interface Sight {
  features?: FrozenFeatures
}

/** Features that are asked for while a step is traced. */
const later =
  (sight: Sight): FrozenFeatures =>
  (pictures, noise) => {
    if (sight.features === undefined) throw new Error('the network of the features is not open yet')
    return sight.features(pictures, noise)
  }

const subjectOf = <Enc, Dec>(
  config: AutoencoderRun,
  built: BuiltAutoencoder<Enc, Dec>,
  sight: Sight,
): Subject<AutoencoderTaskParams<Enc, Dec>, Tensor, AutoencoderDraws> => ({
  task: autoencoderTask(config, built, config.features === undefined ? undefined : later(sight)),
  with: ({ steps, folder, device, phaseSteps }) => {
    const { phaseSteps: _, ...others } = config
    return subjectOf(
      { ...others, steps, folder, device, ...(phaseSteps !== undefined && { phaseSteps }) },
      built,
      sight,
    )
  },
  open: (_, tell) =>
    pipe(
      openFeatures(config),
      TE.bindTo('seen'),
      TE.bind('opened', () => openPictures(config, tell)),
      TE.map(({ seen, opened }) => {
        if (seen !== undefined) sight.features = seen.features
        const files = seen?.file === undefined ? {} : { files: new Map([[names.features, seen.file]]) }
        return autoencoderSource(config, built, { ...opened, ...files })
      }),
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
    autoencoderOf(config.autoencoder)((built) => use(subjectOf(config, built, {})))
