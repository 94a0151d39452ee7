/** The network by whose features an autoencoder is trained, as it lies with the run, or is copied from another when the run begins. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { exists } from '../../../io/exists.node.ts'
import { nodeFileSystem } from '../../../io/index.ts'
import { E, pipe, TE } from '../../../prelude/fp.ts'
import { open } from '../../../tensor/device.ts'
import { load } from '../../load.node.ts'
import { names } from '../../store.ts'
import { trainError, trainErrorOf, type TrainError } from '../../trainError.ts'
import { encodeWeights } from '../diffusion/weightsFile.ts'
import { factorOf, sizeOf } from '../../../models/registry.ts'
import type { AutoencoderRun, RunFeatures } from './autoencoderConfig.ts'
import { denoiserIn, featuresOfSeas, type FrozenFeatures } from './frozenFeatures.ts'

/** The network, and the file that a run keeps of it; there is none of the one that comes with fathom. */
export interface OpenedFeatures {
  readonly features: FrozenFeatures
  readonly file?: Uint8Array
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** The averaged weights of a run of a diffusion model on pixels, as a file. */
const fileOfRun = (run: string): TE.TaskEither<TrainError, Uint8Array> =>
  pipe(
    load(run),
    TE.filterOrElse(
      ({ config }) => config.latent === undefined,
      () =>
        trainError(
          'CFG',
          `${run} is a run of a model on latents, which sees no pictures: name a run of a model on pixels, or seas`,
        ),
    ),
    TE.filterOrElse(
      ({ step }) => step > 0,
      () => trainError('CKPT', `${run} has learned nothing yet: its features would be those of random weights`),
    ),
    TE.chain(({ config, average }) =>
      pipe(
        TE.mapLeft(trainErrorOf('WEIGHTS'))(open('cpu')),
        TE.chainTaskK((device) => async () => {
          const file = await encodeWeights(device, config, average)
          await device.close()
          return file
        }),
      ),
    ),
  )

/**
 * The setting `features` for a run of a diffusion model on pixels: by its features an autoencoder can be trained.
 *
 * @returns Left where it is no such run, or has learned nothing yet
 * @example
 * ```ts
 * import { featuresOfRun } from 'fathom/train'
 *
 * await featuresOfRun('runs/nothing')() // => left({ code: 'RUN-NONE', … })
 * ```
 */
export const featuresOfRun = (run: string): TE.TaskEither<TrainError, RunFeatures> =>
  pipe(
    fileOfRun(run),
    TE.map((file) => ({ fingerprint: sha256(file), from: run })),
  )

/** Left where the network is another than the setting's, or does not take the run's crops. */
const requireFitting = (
  { channels = 3, crop }: AutoencoderRun,
  { fingerprint }: RunFeatures,
  file: Uint8Array,
  where: string,
): E.Either<TrainError, OpenedFeatures> =>
  pipe(
    denoiserIn(where, file),
    E.filterOrElse(
      () => sha256(file) === fingerprint,
      () =>
        trainError(
          'WEIGHTS',
          `${where} has other weights than those by whose features the run is trained: restore ${names.features} from a copy, or begin another run`,
        ),
    ),
    E.filterOrElse(
      ({ config }) => (config.channels ?? 3) === channels,
      ({ config }) =>
        trainError(
          'CFG',
          `the network of ${where} sees pictures of ${config.channels ?? 3} channels, and the run is of ${channels}`,
        ),
    ),
    E.filterOrElse(
      ({ config }) => crop % factorOf(config.model) === 0,
      ({ config }) =>
        trainError(
          'CFG',
          `the network of ${where} sees pictures whose sides are divisible by ${factorOf(config.model)}: crops of ${crop} are not; choose another --crop`,
        ),
    ),
    E.filterOrElse(
      ({ config }) => sizeOf(config.model)?.every((side) => side === crop) ?? true,
      ({ config }) =>
        trainError(
          'CFG',
          `the network of ${where} sees pictures of ${sizeOf(config.model)?.join('×')} alone, and crops are of ${crop}×${crop}; choose another --crop`,
        ),
    ),
    E.map(({ features }) => ({ features, file })),
  )

/** The network of a configuration, from the run's own copy where there is one; undefined where its weight is 0. */
export const openFeatures = (config: AutoencoderRun): TE.TaskEither<TrainError, OpenedFeatures | undefined> => {
  const { features, out } = config
  if (features === undefined) return TE.right(undefined)
  if (features === 'seas') return TE.right({ features: featuresOfSeas })
  const own = join(out, names.features)
  return pipe(
    TE.fromTask<boolean, TrainError>(() => exists(own)),
    TE.bindTo('isThere'),
    TE.bind('file', ({ isThere }) =>
      isThere ? TE.mapLeft(trainErrorOf('WEIGHTS'))(nodeFileSystem.readFile(own)) : fileOfRun(features.from ?? own),
    ),
    TE.chainEitherK(({ isThere, file }) =>
      requireFitting(config, features, file, isThere ? own : (features.from ?? own)),
    ),
  )
}
