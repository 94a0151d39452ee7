/** Opening the device of a run, and asking whether the run fits into its memory. */
import { showBytes } from '../compiler/print.ts'
import { E, pipe, TE } from '../prelude/fp.ts'
import { open, type Device, type DeviceOptions } from '../tensor/device.ts'
import { trainError, trainErrorOf, type TrainError } from './trainError.ts'

/** How the caller wants devices opened. A run that goes on keeps the machine that it began with, whatever is chosen here. */
export type DeviceChoice = Pick<DeviceOptions, 'threads' | 'v8Flags' | 'winograd'>

/** Opens a device by name. With the machine of an earlier run it computes that run's bits. */
export const openDevice = (
  name: string,
  choice: DeviceChoice = {},
  machine?: Device['machine'],
): TE.TaskEither<TrainError, Device> =>
  pipe(open(name, { ...choice, ...(machine === undefined ? {} : { machine }) }), TE.mapLeft(trainErrorOf('DEVICE')))

/** Left when a step needs more memory than the device has. @param needed bytes, of a stepper's `bytes` */
export const requireMemory = ({ name, memoryLimit }: Device, needed: number): E.Either<TrainError, void> => {
  return needed <= memoryLimit
    ? E.right(undefined)
    : E.left(
        trainError(
          'MEMORY',
          `a step needs ${showBytes(needed)}, and '${name}' can use ${showBytes(memoryLimit)}: use a smaller batch (and accumulate), smaller pictures, or a narrower network`,
        ),
      )
}
