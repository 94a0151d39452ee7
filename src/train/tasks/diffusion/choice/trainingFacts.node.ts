/** The facts from which a training is chosen, of this machine: a look at a folder's headers, and at the device. */
import { scanFolder } from '../../../../data/index.ts'
import { pipe, TE } from '../../../../prelude/fp.ts'
import type { Device } from '../../../../tensor/device.ts'
import { orDeviceError } from '../../../deviceErrors.ts'
import { ensuring } from '../../../ensuring.ts'
import { openDevice, type DeviceChoice } from '../../../openDevice.ts'
import { convolutionRate } from '../../convolutionRate.ts'
import { trainErrorOf, type TrainError } from '../../../trainError.ts'
import type { TrainingFacts } from './sketch.ts'

/** Operations a second in training, by thread of WebAssembly and in plain TypeScript: a machine that is busy now is not slower for the whole run. */
const [byThread, inTypeScript, mostThreads] = [7.5e10, 3e8, 8] as const

/** The part of the rate of its convolutions that a GPU reaches in a whole step. */
const partOfConvolutions = 0.5

type DeviceFacts = Pick<TrainingFacts, 'device' | 'gpu' | 'flopsPerSecond'>

const factsOf = async (device: Device): Promise<DeviceFacts> => {
  const { name, threads } = device
  if (name === 'cpu') return { device: 'plain TypeScript', gpu: false, flopsPerSecond: inTypeScript }
  if (name === 'wasm')
    return {
      device: threads === 1 ? 'one thread' : `${threads} threads`,
      gpu: false,
      flopsPerSecond: byThread * Math.min(threads, mostThreads),
    }
  const rate = await convolutionRate(device, { batch: 16, height: 32, width: 32, channels: 64 })
  return { device: 'this GPU', gpu: true, flopsPerSecond: partOfConvolutions * rate }
}

/**
 * The facts for {@link chooseTraining}: the sizes of a folder's photographs, from their headers, and how fast the device is. Nothing is decoded.
 *
 * @param folder null for procedural seas
 * @param given settings that are named already, the device among them
 * @returns Left where the folder cannot be read, or the device cannot be opened
 * @example
 * ```ts
 * import { chooseTraining, trainingFacts } from 'fathom/train'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 *
 * const chosen = pipe(
 *   trainingFacts(null, { device: 'cpu', time: 60 }),
 *   TE.map((facts) => chooseTraining(facts).preset),
 * )
 * await chosen() // => right('tiny')
 * ```
 */
export const trainingFacts = (
  folder: string | null,
  given: Readonly<Record<string, unknown>> & { readonly device: string },
  choice: DeviceChoice = {},
): TE.TaskEither<TrainError, TrainingFacts> =>
  pipe(
    folder === null
      ? TE.right({})
      : pipe(
          scanFolder(folder),
          TE.bimap(trainErrorOf('DATA'), ({ usable }) => ({
            sides: usable.map(({ width, height }) => Math.min(width, height)),
          })),
        ),
    TE.bindTo('photographs'),
    TE.bind('device', () =>
      pipe(
        openDevice(given.device, choice),
        TE.chain((device) =>
          pipe(
            TE.fromTask<DeviceFacts, TrainError>(() => factsOf(device)),
            orDeviceError(device.name),
            ensuring(() => device.close()),
          ),
        ),
      ),
    ),
    TE.map(({ photographs, device }) => ({ ...photographs, ...device, given })),
  )
