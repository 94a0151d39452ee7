/** What a run has learned, as a folder that diffusers reads: a pipeline of its network, its noise, and its autoencoder where it has one. */
import { requireKnown } from '../../../prelude/options.ts'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { jsonBytes } from '../../../io/diffusers/modelFolder.node.ts'
import type { ArrayRecord } from '../../../io/arrayRecord.ts'
import { makeDurableDirectory, recordsOf, replaceFile, writeModelFolder, type ModelToWrite } from '../../../io/index.ts'
import { isChain } from '../../../diffusion/index.ts'
import { encodeDiffusersUnet2d } from '../../../models/index.ts'
import { namesOf } from '../../../models/registry.ts'
import type { Fault } from '../../../prelude/decode.ts'
import { E, pipe, TE } from '../../../prelude/fp.ts'
import { open, type Device } from '../../../tensor/device.ts'
import { ensuring } from '../../ensuring.ts'
import type { LoadedWeights } from './diffusion.ts'
import { encodeDiffusersScheduler } from './diffusersScheduler.ts'
import { spaceOf } from './space.ts'
import { diffusersAutoencoder } from '../autoencoder/diffusersAutoencoder.ts'
import { settingError, trainError, trainErrorOf, type TrainError } from '../../trainError.ts'

/** How a run is given out. */
export interface ExportOptions {
  /** Bytes of tensors in one file at most; default 10¹⁰. */
  readonly maxBytes?: number
}

const weightsError = trainErrorOf('WEIGHTS')

/** A setting of the run that diffusers has no word for. */
const unsaid =
  (part: string) =>
  (fault: Fault): TrainError => {
    const { path, got } = fault.inside ?? { path: part, got: '' }
    const { message } = settingError({ ...fault, path: fault.inside === undefined ? part : `${part}.${path}`, got })
    return trainError('WEIGHTS', `diffusers cannot hold this run: ${message}`)
  }

const requireEmpty =
  (folder: string): TE.TaskEither<TrainError, void> =>
  async () => {
    const found = await readdir(folder).catch(() => [])
    return found.length === 0
      ? E.right(undefined)
      : E.left(trainError('RUN-EXISTS', `${folder} is there already, and not empty: name another folder with --out`))
  }

/** The network of a run. */
const networkOf = async (
  device: Device,
  { config, average }: LoadedWeights,
): Promise<E.Either<TrainError, ModelToWrite>> => {
  const { model } = config
  if (model.kind !== 'unet2d')
    return E.left(
      trainError(
        'WEIGHTS',
        `diffusers has no network like this run's, which is of kind ${model.kind ?? 'lucidrains'}: train one with "model": { "kind": "unet2d" } in a file for --config`,
      ),
    )
  const [height, width, channels] = spaceOf(config).shape
  const { labels = [] } = config
  const { kind: _, ...settings } = model
  const json = encodeDiffusersUnet2d({ ...settings, channels, conditions: labels.length }, [height, width])
  if (E.isLeft(json)) return E.left(unsaid('model')(json.left))
  const tensors = await recordsOf(device, await device.realize(average), namesOf(model, 'diffusers', average))
  return E.right({ config: json.right, tensors: new Map(tensors.flatMap(withClasses(labels.length))) })
}

/** A tensor; of the table of what a network is told, the rows of classes: changes of pictures, behind them, are not told when it draws. */
const withClasses =
  (count: number) =>
  ([name, record]: readonly [string, ArrayRecord]): readonly (readonly [string, ArrayRecord])[] => {
    const [rows = 0, ...rest] = record.shape
    if (name !== 'class_embedding.weight' || rows === count) return [[name, record]]
    const bytes = record.bytes.subarray(0, (record.bytes.length / rows) * count)
    return count === 0 ? [] : [[name, { ...record, shape: [count, ...rest], bytes }]]
  }

/** The scheduler of a run. */
const schedulerOf = ({ config, schedule }: LoadedWeights): E.Either<TrainError, Readonly<Record<string, unknown>>> =>
  pipe(
    encodeDiffusersScheduler(config, isChain(schedule) ? schedule.betas : undefined, config.latent === undefined),
    E.mapLeft(unsaid('noise')),
  )

/** `model_index.json`: what the parts are. */
const indexOf = (scheduler: unknown, autoencoder: unknown): Readonly<Record<string, unknown>> => ({
  _class_name: autoencoder === undefined ? 'DDIMPipeline' : 'LDMPipeline',
  _diffusers_version: '0.27.2',
  unet: ['diffusers', 'UNet2DModel'],
  scheduler: ['diffusers', scheduler],
  ...(autoencoder !== undefined && { vqvae: ['diffusers', autoencoder] }),
})

/** Everything that is written, before anything is. */
const partsOn = (loaded: LoadedWeights) => (device: Device) =>
  pipe(
    TE.Do,
    TE.bind('network', () => () => networkOf(device, loaded)),
    TE.bind('scheduler', () => TE.fromEither(schedulerOf(loaded))),
    TE.bind('autoencoder', (): TE.TaskEither<TrainError, ModelToWrite | undefined> => async () => {
      const file = loaded.autoencoder?.file
      if (file === undefined) return E.right(undefined)
      return pipe(await diffusersAutoencoder(device, file), E.mapLeft(unsaid('autoencoder')))
    }),
  )

/**
 * Writes what a run has learned as a folder of diffusers, for `DDIMPipeline.from_pretrained`, or with an autoencoder `LDMPipeline`; tensors keep their bytes.
 *
 * @param folder is made; it must not hold anything
 * @returns Left where diffusers has no word for what the run is, naming the setting
 * @example
 * ```ts
 * import { exportDiffusers, load } from 'fathom/train'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 *
 * const out = pipe(load('nowhere'), TE.chain((run) => exportDiffusers(run, 'theirs')))
 * await out() // => left({ code: 'RUN-NONE', … })
 * ```
 */
export const exportDiffusers = (
  loaded: LoadedWeights,
  folder: string,
  options: ExportOptions = {},
): TE.TaskEither<TrainError, void> => {
  requireKnown('exportDiffusers', options, ['maxBytes'])
  const { maxBytes } = options
  return pipe(
    requireEmpty(folder),
    TE.chain(() => pipe(open('cpu'), TE.mapLeft(trainErrorOf('DEVICE')))),
    TE.chain((device) =>
      pipe(
        partsOn(loaded)(device),
        ensuring(() => device.close()),
      ),
    ),
    TE.chain(({ network, scheduler, autoencoder }) => {
      const limit = maxBytes === undefined ? {} : { maxBytes }
      const index = indexOf(scheduler['_class_name'], autoencoder?.config['_class_name'])
      return pipe(
        writeModelFolder(join(folder, 'unet'), { ...network, ...limit }),
        TE.chain(() =>
          autoencoder === undefined
            ? TE.right(undefined)
            : writeModelFolder(join(folder, 'vqvae'), { ...autoencoder, ...limit }),
        ),
        TE.chain(() => makeDurableDirectory(join(folder, 'scheduler'))),
        TE.chain(() => replaceFile(join(folder, 'scheduler', 'scheduler_config.json'), jsonBytes(scheduler))),
        TE.chain(() => replaceFile(join(folder, 'model_index.json'), jsonBytes(index))), // last: with it the folder is whole
        TE.mapLeft(weightsError),
      )
    }),
  )
}
