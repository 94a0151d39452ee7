/** Pictures from trained weights, by a sampler that is chosen by name. */
import { requireKnown } from '../../../prelude/options.ts'
import { pipe, TE } from '../../../prelude/fp.ts'
import { orDeviceError } from '../../deviceErrors.ts'
import { ensuring } from '../../ensuring.ts'
import { pauseBefore, realSurroundings, type Surroundings } from '../../recovery.ts'
import { tensor } from '../../../tensor/create.ts'
import type { Device } from '../../../tensor/device.ts'
import type { TrainError } from '../../trainError.ts'
import { diffusionOf, pictureOf, type Diffusion, type LoadedWeights } from './diffusion.ts'
import { channelsOf } from './diffusionConfig.ts'
import { drawerOn, type Beginning } from './draw.ts'
import { fillOf, withKnown } from './filling.ts'
import { chosen, sampleOptions, type Chosen, type SampleOptions } from './sampleOptions.ts'

/** Pictures of one size. */
export interface Samples {
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3 | 4
  /** Each bytes [height, width, channels]. */
  readonly pictures: readonly Uint8Array[]
}

/** Pictures that go through the network together. */
const usualBatch = 16

/** What the walks of a device begin with. */
const beginningOn = async (
  device: Device,
  diffusion: Diffusion,
  { noise, from, fill }: SampleOptions,
): Promise<Beginning> => {
  const { config, space, autoencoder } = diffusion
  const seen = async (bytes: Uint8Array): Promise<Float32Array> => {
    const picture = tensor(bytes, { shape: [1, ...pictureOf(config)] })
    const x0 = autoencoder === undefined ? space.x0(picture) : await autoencoder.encoderOn(device)(picture)
    return Float32Array.from(await device.read(x0))
  }
  if (from !== undefined) return { kind: 'picture', x0: await seen(from.picture), strength: from.strength }
  if (fill !== undefined) {
    const { picture, mask: _, ...jumps } = fill
    return { kind: 'fill', x0: await seen(picture), fill: fillOf(diffusion, fill), jumps }
  }
  if (noise === undefined) return { kind: 'noise' }
  return noise === 'seeds' ? { kind: 'seeds' } : { kind: 'between', to: noise.to }
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
      const { count, seed, guide, guidance, plusPlus = false, threshold, fill, onStep } = options
      const diffusion = diffusionOf(config, { model, autoencoder })
      return pipe(
        TE.fromTask<Beginning, TrainError>(() => beginningOn(device, diffusion, options)),
        TE.bindTo('begin'),
        TE.bind('params', () => TE.fromTask(() => device.realize(average))),
        TE.bind('worse', () => TE.fromTask(async () => guide && (await device.realize(guide.average)))),
        TE.chain(({ begin, params, worse }) => {
          const drawing = {
            ...way,
            count,
            seed,
            begin,
            batch: Math.min(count, usualBatch),
            plusPlus,
            ...(guidance !== undefined && { guidance }),
            ...(threshold !== undefined && { threshold }),
            ...(worse !== undefined && { guide: worse }),
          }
          return drawerOn(device, diffusion, drawing)(params, onStep)
        }),
        TE.map((drawn) => {
          const pictures = fill === undefined ? drawn : drawn.map(withKnown(fill))
          return { height, width, channels: channelsOf(config), pictures }
        }),
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
      TE.fromEither(chosen(loaded, options)),
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
export const sample = (loaded: LoadedWeights, options: SampleOptions): TE.TaskEither<TrainError, Samples> => {
  requireKnown('sample', options, sampleOptions)
  return sampleIn(realSurroundings)(loaded, options)
}
