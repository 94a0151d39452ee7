/** Pictures from trained weights, by a sampler that is chosen by name. */
import { defaultSampler, isSamplerName, samplers, type SamplerName } from '../../../diffusion/index.ts'
import { E, pipe, TE } from '../../../prelude/fp.ts'
import { suggestion } from '../../../prelude/nearest.ts'
import { orDeviceError } from '../../deviceErrors.ts'
import { ensuring } from '../../ensuring.ts'
import type { DeviceChoice } from '../../openDevice.ts'
import { pauseBefore, realSurroundings, type Surroundings } from '../../recovery.ts'
import { settingError, type TrainError } from '../../trainError.ts'
import { diffusionOf, type LoadedWeights } from './diffusion.ts'
import { channelsOf, type DiffusionRun } from './diffusionConfig.ts'
import { drawerOn } from './draw.ts'

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
  { timesteps, height, width, channels = 3 }: DiffusionRun,
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

/** Draws on a device that is opened for it. */
const drawnOn = (
  { open }: Pick<Surroundings, 'open'>,
  { config, average, model, autoencoder }: LoadedWeights,
  options: SampleOptions,
  way: Chosen,
): TE.TaskEither<TrainError, Samples> =>
  pipe(
    open(options.device ?? config.device, options.deviceOptions),
    TE.chain((device) => {
      const { height, width } = config
      const drawing = { ...options, ...way, batch: Math.min(options.count, 16) }
      const draw = drawerOn(device, diffusionOf(config, { model, autoencoder }), drawing)
      return pipe(
        TE.fromTask<LoadedWeights['average'], TrainError>(() => device.realize(average)),
        TE.chain((params) => draw(params, options.onStep)),
        TE.map((pictures) => ({ height, width, channels: channelsOf(config), pictures })),
        orDeviceError(device.name),
        ensuring(() => device.close()),
      )
    }),
  )

/** What a person should know of pictures that were not drawn: of a loss it is the second. */
const notDrawn = (error: TrainError): TrainError => {
  const { code, reason = error.message } = error
  if (code === 'DEVICE-LOST')
    return {
      ...error,
      message: `the device was lost while the pictures were drawn, and again when it was opened anew: ${reason}; nothing was written, so draw them again when the device is there, or on another`,
    }
  return code === 'MEMORY'
    ? {
        ...error,
        message: `the device has too little memory for the pictures: ${reason}; draw fewer than 16 at a time (--count)`,
      }
    : error
}

/** `sample`, in these surroundings. */
export const sampleIn =
  (surroundings: Pick<Surroundings, 'open' | 'pause'>) =>
  (loaded: LoadedWeights, options: SampleOptions): TE.TaskEither<TrainError, Samples> =>
    pipe(
      TE.fromEither(chosen(loaded.config, options)),
      TE.chain((way) => {
        const attempt = drawnOn(surroundings, loaded, options, way)
        return pipe(
          attempt,
          TE.orElse((error) =>
            error.code === 'DEVICE-LOST'
              ? pipe(
                  TE.fromTask<void, TrainError>(() => surroundings.pause(pauseBefore(1))),
                  TE.chain(() => attempt),
                )
              : TE.left(error),
          ),
          TE.mapLeft(notDrawn),
        )
      }),
    )

/**
 * Draws pictures from the averaged weights; the same sampler, steps, seed and count draw the same pictures. Where the device is lost, they are drawn
 * once more, from the first on, on a device that is opened again.
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
export const sample = (loaded: LoadedWeights, options: SampleOptions): TE.TaskEither<TrainError, Samples> =>
  sampleIn(realSurroundings)(loaded, options)
