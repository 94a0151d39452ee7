/** Opening the device of a run, and asking whether the run fits into its memory. */
import { showBytes } from '../compiler/print.ts'
import { E, pipe, TE } from '../prelude/fp.ts'
import type { OptionsByName } from '../backends/options.ts'
import { open, type Device } from '../tensor/device.ts'
import type { Progress } from './stateFiles.ts'
import { lessMemory } from './deviceErrors.ts'
import { trainError, trainErrorOf, type TrainError } from './trainError.ts'

/** How the caller wants devices opened, each by its name. A run that goes on keeps the choices that it began with, whatever is wanted here. */
export type DeviceChoice = OptionsByName

/** Opens a device by name. With what an earlier run's progress says of the same device it computes that run's bits. */
export const openDevice = (
  name: string,
  options: DeviceChoice = {},
  earlier?: Pick<Progress, 'device' | 'machine'>,
): TE.TaskEither<TrainError, Device> => {
  const choices = earlier?.device === name ? earlier.machine : undefined
  return pipe(
    open(name, { ...options, ...(choices === undefined ? {} : { choices }) }),
    TE.mapLeft(trainErrorOf('DEVICE')),
  )
}

/** Left when a step needs more memory than the device has. @param needed bytes, of a stepper's `bytes` */
export const requireMemory = ({ name, memoryLimit }: Device, needed: number): E.Either<TrainError, void> => {
  return needed <= memoryLimit
    ? E.right(undefined)
    : E.left(
        trainError(
          'MEMORY',
          `a step needs ${showBytes(needed)}, and '${name}' can use ${showBytes(memoryLimit)}: ${lessMemory(name)}`,
        ),
      )
}
