/** A trained run, ready to draw pictures from: `load` reads it, `sample` draws. */
import { E, pipe, TE } from '../prelude/fp.ts'
import type { Schedule } from '../diffusion/index.ts'
import type { UnetInput } from '../models/index.ts'
import type { Module } from '../nn/index.ts'
import { key } from '../tensor/random.ts'
import type { TrainConfig } from './trainConfig.ts'
import { drawerOn } from './draw.ts'
import { guarded } from './failure.ts'
import { openDevice, type DeviceChoice } from './openDevice.ts'
import { initialState, recipeOf, type Params } from './recipe.ts'
import { readConfig, restore } from './runDirectory.node.ts'
import { settingError, type TrainError } from './trainError.ts'

/** What a run has learned. */
export interface LoadedRun {
  readonly config: TrainConfig
  /** The steps it was trained for. */
  readonly step: number
  readonly model: Module<Params, UnetInput>
  /** The averaged weights, from which to sample. */
  readonly average: Params
  /** The weights as the last step left them. */
  readonly params: Params
  readonly schedule: Schedule
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

/** How to sample. */
export interface SampleOptions {
  readonly count: number
  /** Steps of DDIM, at most the schedule's. */
  readonly steps: number
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
  /** Each bytes [height, width, 3]. */
  readonly pictures: readonly Uint8Array[]
}

const requireOptions = (
  { timesteps, height, width }: TrainConfig,
  { count, steps, seed }: SampleOptions,
): E.Either<TrainError, void> => {
  const most = Math.floor(2 ** 30 / (height * width * 3)) // the sheet is encoded as one picture
  if (!Number.isSafeInteger(count) || count < 1 || count > most)
    return E.left(settingError({ path: 'count', expected: `a whole number from 1 to ${most}`, got: String(count) }))
  if (!Number.isSafeInteger(steps) || steps < 1 || steps > timesteps)
    return E.left(
      settingError({ path: 'steps', expected: `a whole number from 1 to ${timesteps}`, got: String(steps) }),
    )
  if (!Number.isSafeInteger(seed) || seed < 0)
    return E.left(settingError({ path: 'seed', expected: 'a whole number ≥ 0', got: String(seed) }))
  return E.right(undefined)
}

/**
 * Draws pictures from the averaged weights by DDIM; the same seed and count draw the same pictures.
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
export const sample = ({ config, average }: LoadedRun, options: SampleOptions): TE.TaskEither<TrainError, Samples> =>
  pipe(
    TE.fromEither(requireOptions(config, options)),
    TE.chain(() => openDevice(options.device ?? config.device, options.deviceOptions)),
    TE.chain((device) =>
      guarded(async () => {
        try {
          const draw = drawerOn(device, recipeOf(config), { ...options, batch: Math.min(options.count, 16) })
          const pictures = await draw(await device.realize(average), options.onStep)
          return { height: config.height, width: config.width, pictures }
        } finally {
          await device.close()
        }
      }),
    ),
  )
