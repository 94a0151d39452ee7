/** Trained weights, ready to draw pictures from: `load` reads those of a run, `loadWeights` those of a file, `sample` draws. */
import { E, pipe, TE } from '../prelude/fp.ts'
import { defaultSampler, isSamplerName, samplers, type SamplerName, type Schedule } from '../diffusion/index.ts'
import { readSafetensorsFile, treeFrom } from '../io/index.ts'
import type { DenoiserInput } from '../models/family.ts'
import { namesOf, sourcesOf } from '../models/registry.ts'
import type { Module } from '../nn/index.ts'
import { suggestion } from '../prelude/nearest.ts'
import { key } from '../tensor/random.ts'
import { channelsOf, type TrainConfig } from './trainConfig.ts'
import { drawerOn } from './draw.ts'
import { nonFiniteAmong } from './finite.ts'
import { guarded } from './failure.ts'
import { openDevice, type DeviceChoice } from './openDevice.ts'
import { initialState, recipeOf, type Params } from './recipe.ts'
import { readConfig, restore } from './runDirectory.node.ts'
import { settingError, trainError, trainErrorOf, type TrainError } from './trainError.ts'

/** A network with weights, and all that is needed to draw from it. */
export interface LoadedWeights {
  readonly config: TrainConfig
  readonly model: Module<Params, DenoiserInput>
  /** The weights from which to sample; of a run, the averaged ones. */
  readonly average: Params
  readonly schedule: Schedule
}

/** What a run has learned. */
export interface LoadedRun extends LoadedWeights {
  /** The steps it was trained for. */
  readonly step: number
  /** The weights as the last step left them. */
  readonly params: Params
  readonly warnings: readonly string[]
}

/**
 * Reads the newest valid checkpoint of a run. Needs no lock: it may be in training.
 *
 * @example
 * ```ts
 * import { configOf, load, train } from 'fathom/train'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 *
 * await load('run')() // => left({ code: 'RUN-NONE', … })
 * const model = { width: 4, multipliers: [1], heads: 1, headWidth: 4 }
 * const begin = pipe(
 *   TE.fromEither(configOf({ out: 'run', height: 8, width: 8, model, batch: 2 })),
 *   TE.chain((config) => train(config, { signal: AbortSignal.abort() })), // stopped before the first step
 * )
 * await begin()
 * await load('run')() // => right({ step: 0, … })
 * ```
 */
export const load = (directory: string): TE.TaskEither<TrainError, LoadedRun> =>
  pipe(
    readConfig(directory),
    TE.chain((config) => {
      const recipe = recipeOf(config)
      return pipe(
        restore(config, initialState(recipe, key(0))),
        TE.map(({ state, progress, warnings }) => ({
          config,
          step: progress.step,
          model: recipe.model,
          average: state.average,
          params: state.params,
          schedule: recipe.schedule,
          warnings,
        })),
      )
    }),
  )

/** How a file of weights is read. */
export interface WeightsOptions {
  /** Whose names and axes it has: `fathom` (default), or that of a program whose weights the network's family can take, as `lucidrains`. */
  readonly names?: string
}

/**
 * Reads the weights of a network from a safetensors file: `average.safetensors` of a checkpoint, or one that another program wrote. Floats
 * of 64 bits are rounded to the network's 32.
 *
 * @param config the network, the size of the pictures, and what it was trained for: schedule, timesteps and objective
 * @returns Left where the file does not hold exactly this network's weights, naming all that differs, or holds what is no number
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { saveParams } from 'fathom/io'
 * import { configOf, initialState, loadWeights, recipeOf, sample } from 'fathom/train'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 *
 * const model = { width: 4, multipliers: [1], heads: 1, headWidth: 4 }
 * const drawn = pipe(
 *   TE.fromEither(configOf({ out: 'run', height: 8, width: 8, model })),
 *   TE.chainFirstW((config) => saveParams(device, 'sea.safetensors', initialState(recipeOf(config), key(0)).params)),
 *   TE.chainW((config) => loadWeights('sea.safetensors', config)),
 *   TE.chainW((weights) => sample(weights, { count: 2, steps: 2, seed: 0 })),
 *   TE.map(({ pictures }) => pictures.length),
 * )
 * await drawn() // => right(2)
 * ```
 */
export const loadWeights = (
  path: string,
  config: TrainConfig,
  { names = 'fathom' }: WeightsOptions = {},
): TE.TaskEither<TrainError, LoadedWeights> => {
  const known = sourcesOf(config.model)
  if (!known.includes(names))
    return TE.left(
      settingError({
        path: 'names',
        expected: `one of ${known.join(', ')}`,
        got: names,
        hint: suggestion(names, known),
      }),
    )
  const { model, schedule } = recipeOf(config)
  const template = model.init(key(0))
  return pipe(
    readSafetensorsFile(path),
    TE.mapLeft(trainErrorOf('WEIGHTS')),
    TE.chainEitherK(({ tensors }) =>
      pipe(
        treeFrom(template, tensors, { ...namesOf(config.model, names, template), round: true }),
        E.mapLeft(({ message }) => trainError('WEIGHTS', `${path}: ${message}`)),
        E.filterOrElse(
          () => nonFiniteAmong(path, tensors) === undefined,
          () => trainError('WEIGHTS', `the weights are no numbers: ${nonFiniteAmong(path, tensors) ?? ''}`),
        ),
      ),
    ),
    TE.map((average) => ({ config, model, average, schedule })),
  )
}

/** How to sample. */
export interface SampleOptions {
  readonly count: number
  /** A name of `samplers`; default {@link defaultSampler}. */
  readonly sampler?: string
  /** Steps of the sampler, at most the schedule's; default its usual ones. */
  readonly steps?: number
  readonly seed: number
  /** Default: the device of training. */
  readonly device?: string
  /** How it is opened. */
  readonly deviceOptions?: DeviceChoice
  /** Called after each step of the sampler. */
  readonly onStep?: (done: number, total: number) => void
}

/** Pictures of one size. */
export interface Samples {
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3 | 4
  /** Each bytes [height, width, channels]. */
  readonly pictures: readonly Uint8Array[]
}

/** What is drawn by, and in how many steps. */
interface Chosen {
  readonly sampler: SamplerName
  readonly steps: number
}

const chosenSteps = (timesteps: number, sampler: SamplerName, wanted?: number): E.Either<TrainError, Chosen> => {
  const { everyStep, usualSteps } = samplers[sampler]
  const steps = wanted ?? usualSteps(timesteps)
  if (everyStep && steps !== timesteps)
    return E.left(
      settingError({
        path: 'steps',
        expected: `${timesteps} for ${sampler}, which makes them all`,
        got: String(steps),
      }),
    )
  return Number.isSafeInteger(steps) && steps >= 1 && steps <= timesteps
    ? E.right({ sampler, steps })
    : E.left(settingError({ path: 'steps', expected: `a whole number from 1 to ${timesteps}`, got: String(steps) }))
}

const chosen = (
  { timesteps, height, width, channels = 3 }: TrainConfig,
  { count, steps, seed, sampler = defaultSampler }: SampleOptions,
): E.Either<TrainError, Chosen> => {
  const most = Math.floor(2 ** 30 / (height * width * channels)) // the sheet is encoded as one picture
  if (!Number.isSafeInteger(count) || count < 1 || count > most)
    return E.left(settingError({ path: 'count', expected: `a whole number from 1 to ${most}`, got: String(count) }))
  if (!isSamplerName(sampler)) {
    const names = Object.keys(samplers)
    const hint = suggestion(sampler, names)
    return E.left(
      settingError({ path: 'sampler', expected: `one of ${names.join(', ')}`, got: JSON.stringify(sampler), hint }),
    )
  }
  if (!Number.isSafeInteger(seed) || seed < 0)
    return E.left(settingError({ path: 'seed', expected: 'a whole number ≥ 0', got: String(seed) }))
  return chosenSteps(timesteps, sampler, steps)
}

/**
 * Draws pictures from the averaged weights; the same sampler, steps, seed and count draw the same pictures.
 *
 * @example
 * ```ts
 * import { configOf, load, sample, train } from 'fathom/train'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 *
 * const model = { width: 4, multipliers: [1], heads: 1, headWidth: 4 }
 * const drawn = pipe(
 *   TE.fromEither(configOf({ out: 'run', height: 8, width: 8, model, batch: 2 })),
 *   TE.chain((config) => train(config, { signal: AbortSignal.abort() })), // stopped before the first step
 *   TE.chain(({ directory }) => load(directory)),
 *   TE.chain((run) => sample(run, { count: 3, steps: 2, seed: 0 })),
 *   TE.map(({ pictures }) => pictures.map((picture) => picture.length)),
 * )
 * await drawn() // => right([192, 192, 192])
 * ```
 */
export const sample = (
  { config, average }: LoadedWeights,
  options: SampleOptions,
): TE.TaskEither<TrainError, Samples> =>
  pipe(
    TE.fromEither(chosen(config, options)),
    TE.bindTo('way'),
    TE.bind('device', () => openDevice(options.device ?? config.device, options.deviceOptions)),
    TE.chain(({ device, way }) =>
      guarded(async () => {
        try {
          const draw = drawerOn(device, recipeOf(config), { ...options, ...way, batch: Math.min(options.count, 16) })
          const pictures = await draw(await device.realize(average), options.onStep)
          return { height: config.height, width: config.width, channels: channelsOf(config), pictures }
        } finally {
          await device.close()
        }
      }),
    ),
  )
