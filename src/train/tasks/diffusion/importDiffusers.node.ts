/** A trained network of diffusers as a run: to draw from, to judge, and to train on. */
import { requireKnown } from '../../../prelude/options.ts'
import { basename, join, resolve as absolute } from 'node:path'
import { configError, readJsonRecord } from '../../../io/diffusers/modelFolder.node.ts'
import { exists } from '../../../io/exists.node.ts'
import { readModelFolder, treeFrom, type ModelFolder } from '../../../io/index.ts'
import { decodeDiffusersUnet2d, type DiffusersUnet } from '../../../models/index.ts'
import { namesOf } from '../../../models/registry.ts'
import { range } from '../../../prelude/array.ts'
import { show } from '../../../prelude/decode.ts'
import { E, pipe, TE } from '../../../prelude/fp.ts'
import { open } from '../../../tensor/device.ts'
import { key } from '../../../tensor/random.ts'
import { claim } from '../../beginning.node.ts'
import { configOf } from '../../config.ts'
import { ensuring } from '../../ensuring.ts'
import { chosenAverage } from '../../chosenAverage.ts'
import { configHash } from '../../configHash.node.ts'
import { nonFiniteAmong } from '../../finite.ts'
import { initialState, recipeOf } from '../../recipe.ts'
import { mapEach } from '../../averages.ts'
import { beginRun } from '../../run.ts'
import { stepperOn } from '../../step.ts'
import { storeIn } from '../../store.node.ts'
import { names } from '../../store.ts'
import { decodeConfig, isDiffusion } from '../registry.ts'
import { loadAutoencoder, type LoadedAutoencoder } from '../autoencoder/loadAutoencoder.node.ts'
import type { Params } from './diffusion.ts'
import type { DiffusionRun } from './diffusionConfig.ts'
import { decodeDiffusersScheduler, type ScheduledNoise } from './diffusersScheduler.ts'
import { trainError, trainErrorOf, type TrainError } from '../../trainError.ts'

/** How a folder is taken over. */
export interface ImportOptions {
  /** The run directory to be made. */
  readonly out: string
  /** Size of its pictures in pixels, where the folder does not say it. */
  readonly height?: number
  readonly width?: number
}

/** A folder that was taken over. */
export interface Imported {
  readonly directory: string
  readonly config: DiffusionRun
  /** Sentences for the user. */
  readonly warnings: readonly string[]
}

const weightsError = trainErrorOf('WEIGHTS')

/** The parts of a pipeline, or a network that lies alone. */
interface Parts {
  readonly network: string
  /** There where the pipeline has one. */
  readonly scheduler?: string
  readonly autoencoder?: string
}

/** Where the parts of a folder lie; Left where its index names one that is not there. */
const partsOf = (folder: string): TE.TaskEither<TrainError, Parts> => {
  const index = join(folder, 'model_index.json')
  const among = (named: readonly string[], parts: readonly string[]): string | undefined => {
    const found = parts.find((part) => named.includes(part))
    return found === undefined ? undefined : join(folder, found)
  }
  return pipe(
    TE.fromTask<boolean, TrainError>(() => exists(index)),
    TE.chain((isPipeline) => {
      if (!isPipeline) return TE.right({ network: folder })
      return pipe(
        readJsonRecord(index),
        TE.mapLeft(weightsError),
        TE.chain((json) => async () => {
          const named = Object.keys(json).filter((name) => !name.startsWith('_') && Array.isArray(json[name]))
          if (!named.includes('unet'))
            return E.left(
              trainError('WEIGHTS', `${index} names no unet: only pipelines with a UNet2DModel can be taken over`),
            )
          for (const part of named)
            if (!(await exists(join(folder, part))))
              return E.left(trainError('WEIGHTS', `${index} names ${part}, and there is no such folder beside it`))
          const [scheduler, autoencoder] = [among(named, ['scheduler']), among(named, ['vae', 'vqvae'])]
          return E.right({
            network: join(folder, 'unet'),
            ...(scheduler !== undefined && { scheduler }),
            ...(autoencoder !== undefined && { autoencoder }),
          })
        }),
      )
    }),
  )
}

/** The noise of a pipeline's scheduler; of a network alone, what diffusers trains by without being told. */
const noiseIn = (scheduler: string | undefined): TE.TaskEither<TrainError, ScheduledNoise> => {
  const decoded = (path: string, json: unknown): E.Either<TrainError, ScheduledNoise> =>
    pipe(
      decodeDiffusersScheduler(json),
      E.mapLeft((fault) => weightsError(configError(path, json, fault))),
    )
  if (scheduler === undefined) return TE.fromEither(decoded('the usual scheduler', {}))
  const path = join(scheduler, 'scheduler_config.json')
  return pipe(
    readJsonRecord(path),
    TE.mapLeft(weightsError),
    TE.chainEitherK((json) => decoded(path, json)),
  )
}

const isSide = (x: unknown): x is number => typeof x === 'number' && Number.isSafeInteger(x) && x > 0

/** Height and width of what the network works on, as its config.json says; undefined where it does not. */
const sampleSize = (json: Readonly<Record<string, unknown>>): readonly [number, number] | undefined => {
  const size = json['sample_size']
  if (isSide(size)) return [size, size]
  return Array.isArray(size) && size.length === 2 && isSide(size[0]) && isSide(size[1]) ? [size[0], size[1]] : undefined
}

/** The size of the pictures. */
const sizeOf = (
  { config }: ModelFolder,
  { height, width }: Pick<ImportOptions, 'height' | 'width'>,
  factor: number,
): E.Either<TrainError, { readonly height: number; readonly width: number }> => {
  const said = sampleSize(config)
  const size = { height: height ?? (said && factor * said[0]), width: width ?? (said && factor * said[1]) }
  return size.height === undefined || size.width === undefined
    ? E.left(
        trainError(
          'CFG',
          `the folder does not say how large its pictures are (sample_size is ${show(config['sample_size'])}): name it with --size`,
        ),
      )
    : E.right({ height: size.height, width: size.width })
}

/** What was read of a folder. */
interface Read {
  readonly model: ModelFolder
  readonly noise: ScheduledNoise
  readonly autoencoder: LoadedAutoencoder | undefined
}

/** A network that cannot be that of a run, as an error. @param path of its config.json */
const unfit = (
  path: string,
  { settings: { conditions = 0, conditioning = 'linear' }, channels, outChannels }: DiffusersUnet,
  autoencoder: LoadedAutoencoder | undefined,
): TrainError | undefined => {
  const refused = (why: string): TrainError => trainError('WEIGHTS', `${path}: ${why}`)
  if (outChannels !== channels)
    return refused(
      `out_channels must be in_channels, ${channels}: a U-Net of diffusers that learns variances is not built here`,
    )
  if (autoencoder !== undefined && autoencoder.latentChannels !== channels)
    return refused(
      `in_channels is ${channels}, and the autoencoder has latents of ${autoencoder.latentChannels} channels`,
    )
  return conditions > 0 && conditioning !== 'linear'
    ? refused(
        'class_embed_type must be null: a run is told classes, and no numbers or vectors of others (`loadDiffusers` reads it)',
      )
    : undefined
}

/** The configuration with a network as it is: what is absent in it must not become what fathom's own have. */
const configWith = (
  folder: string,
  { settings, channels }: DiffusersUnet,
  pictures: { readonly height: number; readonly width: number },
  { noise, autoencoder }: Read,
  out: string,
): E.Either<TrainError, DiffusionRun> => {
  const { conditions = 0 } = settings
  const labels = conditions > 0 && { labels: range(conditions).map((i) => `class ${i}`) }
  return pipe(
    configOf({ preset: 'base', out, ema: 0.9999 }),
    E.chain((base) =>
      decodeConfig({
        ...base,
        folder: absolute(folder), // which holds no pictures: `resume --data` names some
        ...pictures,
        channels: autoencoder?.channels ?? channels,
        ...(autoencoder !== undefined && {
          latent: { channels, factor: autoencoder.factor, autoencoder: autoencoder.fingerprint },
        }),
        ...labels,
        model: { ...settings, kind: 'unet2d' },
        ...noise,
        sampleSteps: Math.min(base.sampleSteps, noise.timesteps),
        weighting: 'snr',
        minSnr: null,
        steps: 1,
      }),
    ),
    E.chain((config) =>
      isDiffusion(config)
        ? E.right(config)
        : E.left(trainError('CFG', 'a U-Net of diffusers is trained by diffusion alone')),
    ),
  )
}

/** The configuration of a run that has trained what the folder holds. */
const configFrom = (
  folder: string,
  read: Read,
  { out, ...size }: ImportOptions,
): E.Either<TrainError, { readonly config: DiffusionRun; readonly ignored: readonly string[] }> => {
  const { model, autoencoder } = read
  const path = join(folder, 'config.json')
  const name = model.config['_class_name']
  if (name !== 'UNet2DModel')
    return E.left(
      trainError(
        'WEIGHTS',
        `${path} ${name === undefined ? 'does not say what it is of (_class_name)' : `is of a ${show(name)}`}: only UNet2DModel can be taken over`,
      ),
    )
  return pipe(
    decodeDiffusersUnet2d(model.config),
    E.mapLeft((fault) => weightsError(configError(path, model.config, fault))),
    E.chain((decoded) => {
      const refused = unfit(path, decoded, autoencoder)
      return refused === undefined ? E.right(decoded) : E.left(refused)
    }),
    E.bindTo('decoded'),
    E.bind('pictures', () => sizeOf(model, size, autoencoder?.factor ?? 1)),
    E.bind('config', ({ decoded, pictures }) => configWith(folder, decoded, pictures, read, out)),
    E.map(({ decoded: { ignored }, config }) => ({ config, ignored })),
  )
}

/** The parameters of the run's network from the folder's tensors. */
const paramsFrom = (config: DiffusionRun, { tensors, weights }: ModelFolder): E.Either<TrainError, Params> => {
  const template = recipeOf(config).task.init(key(0))
  const shapes = new Map([...tensors].map(([name, { shape }]) => [name, shape]))
  const bad = nonFiniteAmong(weights, tensors)
  if (bad !== undefined) return E.left(trainError('WEIGHTS', `the weights are no numbers: ${bad}`))
  return pipe(
    treeFrom(template, tensors, { ...namesOf(config.model, 'diffusers', template, shapes), round: true }),
    E.mapLeft(({ message }) => trainError('WEIGHTS', `${weights}: ${message}`)),
  )
}

/** Writes the run: its configuration, its autoencoder, and a checkpoint of step 1 with the weights. */
const written = (
  config: DiffusionRun,
  params: Params,
  autoencoder: LoadedAutoencoder | undefined,
): TE.TaskEither<TrainError, void> => {
  const recipe = recipeOf(config)
  return pipe(
    claim(config.out),
    TE.chain((lock) =>
      pipe(
        TE.fromTask<Awaited<ReturnType<typeof opened>>, TrainError>(opened),
        TE.chain((device) =>
          pipe(
            TE.fromTask(async () => {
              const begun = initialState(recipe, key(config.seed))
              return device.realize({ ...begun, params, averages: mapEach(begun.averages, () => params) })
            }),
            TE.chain((state) =>
              beginRun(
                {
                  config,
                  task: recipe.task,
                  source: {
                    examples: () => {
                      throw new Error('a run that is taken over has no data yet')
                    },
                    fingerprint: 'of another program',
                    summary: '',
                    warnings: [],
                    changes: () => [],
                    ...(autoencoder !== undefined && { files: new Map([[names.autoencoder, autoencoder.file]]) }),
                  },
                  device,
                  configHash: configHash(config),
                  emit: () => undefined,
                  stepper: stepperOn(device, recipe),
                  state,
                  from: 1,
                  chosen: chosenAverage(config),
                },
                storeIn(config.out, lock),
              ),
            ),
            ensuring(() => device.close()),
          ),
        ),
        ensuring(() => lock.release()),
      ),
    ),
  )
}

const opened = async () => {
  const device = await open('cpu')()
  if (E.isLeft(device)) throw new Error(device.left.message)
  return device.right
}

/**
 * Makes a run of a folder of diffusers: a `UNet2DModel`, or a pipeline (DDPM, DDIM, or unconditional latent diffusion) with one. `sample`, `evaluate` and
 * `resume` take it; its weights count as those of step 1.
 *
 * @returns Left where the folder says something that is not built here, and where the directory holds a run already
 * @example
 * ```ts
 * import { importDiffusers } from 'fathom/train'
 *
 * await importDiffusers('nowhere', { out: 'runs/theirs' })() // => left({ code: 'WEIGHTS', … })
 * ```
 */
export const importDiffusers = (folder: string, options: ImportOptions): TE.TaskEither<TrainError, Imported> => {
  requireKnown('importDiffusers', options, ['out', 'height', 'width'])
  return pipe(
    partsOf(folder),
    TE.bindTo('parts'),
    TE.bind('model', ({ parts }) => pipe(readModelFolder(parts.network), TE.mapLeft(weightsError))),
    TE.bind('noise', ({ parts }) => noiseIn(parts.scheduler)),
    TE.bind('autoencoder', ({ parts }) =>
      parts.autoencoder === undefined ? TE.right(undefined) : loadAutoencoder(parts.autoencoder),
    ),
    TE.bind('read', ({ parts, ...read }) => TE.fromEither(configFrom(parts.network, read, options))),
    TE.bind('params', ({ model, read: { config } }) => TE.fromEither(paramsFrom(config, model))),
    TE.chainFirst(({ params, autoencoder, read: { config } }) => written(config, params, autoencoder)),
    TE.map(({ parts, autoencoder, read: { config, ignored } }) => ({
      directory: options.out,
      config,
      warnings: [
        ...(ignored.length === 0
          ? []
          : [
              `${join(basename(parts.network), 'config.json')}: ${ignored.join(', ')} mean nothing here, and are passed over`,
            ]),
        ...(parts.scheduler === undefined
          ? [
              'the folder says nothing of its noise: taken are a linear schedule of 1,000 times, and a network that predicts it',
            ]
          : []),
        ...(autoencoder?.warnings ?? []),
      ],
    })),
  )
}
