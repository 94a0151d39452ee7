/** Reading a trained autoencoder from where it lies: a run, a folder of diffusers, or a file. */
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { exists } from '../../../io/exists.node.ts'
import { configError } from '../../../io/diffusers/modelFolder.node.ts'
import { nodeFileSystem, readModelFolder, treeFrom, type ModelFolder } from '../../../io/index.ts'
import {
  autoencoderOf,
  decodeDiffusersAutoencoder,
  type AutoencoderConfig,
  type BuiltAutoencoder,
} from '../../../models/autoencoder/registry.ts'
import { E, pipe, TE } from '../../../prelude/fp.ts'
import { isRecord } from '../../../prelude/record.ts'
import { open } from '../../../tensor/device.ts'
import { key } from '../../../tensor/random.ts'
import { names } from '../../store.ts'
import { trainError, trainErrorOf, type TrainError } from '../../trainError.ts'
import { encodeAutoencoder, trainedAutoencoder, type TrainedAutoencoder } from './trainedAutoencoder.ts'

/** An autoencoder, and what tells it from others. */
export interface LoadedAutoencoder extends TrainedAutoencoder {
  /** SHA-256 of its file, hexadecimal. */
  readonly fingerprint: string
  /** Sentences for the user. */
  readonly warnings: readonly string[]
}

const weightsError = trainErrorOf('WEIGHTS')

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** The autoencoder in a file of ours. */
const inFile = (path: string): TE.TaskEither<TrainError, LoadedAutoencoder> =>
  pipe(
    nodeFileSystem.readFile(path),
    TE.mapLeft(weightsError),
    TE.chainEitherK((file) =>
      pipe(
        trainedAutoencoder(path, file),
        E.map((autoencoder) => ({ ...autoencoder, fingerprint: sha256(file), warnings: [] })),
      ),
    ),
  )

/** The weights of a folder of diffusers as a file of ours. */
const converted = (
  config: AutoencoderConfig,
  { tensors }: Pick<ModelFolder, 'tensors'>,
): TE.TaskEither<{ readonly message: string }, Uint8Array> =>
  autoencoderOf(config)(<Enc, Dec>({ autoencoder, scaling, names: foreign }: BuiltAutoencoder<Enc, Dec>) => {
    const template = { encoder: autoencoder.encoder.init(key(0)), decoder: autoencoder.decoder.init(key(1)) }
    const shapes = new Map([...tensors].map(([name, { shape }]) => [name, shape]))
    const map = foreign['diffusers']?.(template, shapes) ?? {}
    return pipe(
      TE.fromEither(treeFrom(template, tensors, { ...map, round: true })),
      TE.chainW((params) =>
        pipe(
          open('cpu'),
          TE.chainTaskK((device) => async () => {
            const file = await encodeAutoencoder(device, { config, scaling }, params)
            await device.close()
            return file
          }),
        ),
      ),
    )
  })

const jsonIn = (path: string): TE.TaskEither<TrainError, unknown> =>
  pipe(
    nodeFileSystem.readFile(path),
    TE.mapLeft(weightsError),
    TE.chainEitherK((bytes) =>
      E.tryCatch(
        (): unknown => JSON.parse(new TextDecoder().decode(bytes)),
        () => trainError('WEIGHTS', `${path} is not JSON`),
      ),
    ),
  )

/** The autoencoder in a folder as diffusers saves one, in one file or in several. */
const inDiffusersFolder = (folder: string, json: unknown): TE.TaskEither<TrainError, LoadedAutoencoder> => {
  const path = join(folder, 'config.json')
  return pipe(
    TE.fromEither(decodeDiffusersAutoencoder(json)),
    TE.mapLeft((fault) => weightsError(configError(path, json, fault))),
    TE.bindTo('decoded'),
    TE.bind('found', () => pipe(readModelFolder(folder), TE.mapLeft(weightsError))),
    TE.bind('file', ({ decoded: { config }, found }) =>
      pipe(
        converted(config, found),
        TE.mapLeft(({ message }) => trainError('WEIGHTS', `${found.weights}: ${message}`)),
      ),
    ),
    TE.chainEitherK(({ decoded: { ignored }, found: { weights }, file }) =>
      pipe(
        trainedAutoencoder(weights, file),
        E.map((autoencoder) => ({
          ...autoencoder,
          fingerprint: sha256(file),
          warnings:
            ignored.length === 0 ? [] : [`${path}: ${ignored.join(', ')} mean nothing here, and are passed over`],
        })),
      ),
    ),
  )
}

/** Folders in which the autoencoder lies of a pipeline of diffusers, and of a run that is in its first stage. */
const partsOfPipelines = ['vae', 'vqvae', names.stage] as const

/** Of a run in whose first stage nothing was saved yet. */
const untrained = (run: string): TrainError =>
  trainError(
    'WEIGHTS',
    `${run} has not finished training its autoencoder, and has saved none yet: go on with \`fathom resume ${run}\``,
  )

const inFolder = (folder: string): TE.TaskEither<TrainError, LoadedAutoencoder> => {
  const none = trainError(
    'WEIGHTS',
    `${folder} holds no trained autoencoder: name a run of \`fathom train-vae\` that has saved one (${names.autoencoder}), or a folder of diffusers (config.json with diffusion_pytorch_model.safetensors)`,
  )
  return pipe(
    TE.fromTask<boolean, TrainError>(() => exists(join(folder, names.autoencoder))),
    TE.chain((own) => {
      if (own) return inFile(join(folder, names.autoencoder))
      return pipe(
        jsonIn(join(folder, 'config.json')),
        TE.mapLeft(() => none),
        TE.chain((json) => (isRecord(json) && '_class_name' in json ? inDiffusersFolder(folder, json) : TE.left(none))),
        TE.orElse((error) =>
          partsOfPipelines.reduce<TE.TaskEither<TrainError, LoadedAutoencoder>>(
            (found, part) =>
              pipe(
                found,
                TE.orElse((before) => async () => {
                  const inner = join(folder, part)
                  if (!(await exists(inner))) return E.left(before)
                  return pipe(
                    await inFolder(inner)(),
                    E.mapLeft((error) => (part === names.stage ? untrained(folder) : error)),
                  )
                }),
              ),
            TE.left(error),
          ),
        ),
      )
    }),
  )
}

/**
 * Reads a trained autoencoder.
 *
 * @param path a run of `fathom train-vae` or one that works on its latents, a folder of diffusers (a model or a pipeline), or the file that such a run keeps
 * @returns Left where nothing there is an autoencoder, or its weights do not fit
 * @example
 * ```ts
 * import { loadAutoencoder } from 'fathom/train'
 *
 * await loadAutoencoder('runs/nothing')() // => left({ code: 'WEIGHTS', message: 'runs/nothing is not there: …', … })
 * ```
 */
export const loadAutoencoder =
  (path: string): TE.TaskEither<TrainError, LoadedAutoencoder> =>
  async () => {
    const found = await stat(path).catch(() => undefined)
    if (found === undefined)
      return E.left(
        trainError(
          'WEIGHTS',
          `${path} is not there: name a run of \`fathom train-vae\`, a folder of diffusers, or ${basename(names.autoencoder)}`,
        ),
      )
    return (found.isDirectory() ? inFolder(path) : inFile(path))()
  }
