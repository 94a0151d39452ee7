/** Opening the device of a run, and asking whether the run fits into its memory. */
import { showBytes } from '../compiler/print.ts'
import { E, pipe, TE } from '../prelude/fp.ts'
import type { BackendName, OptionsByName } from '../backends/options.ts'
import { findFastest } from '../backends/registry.ts'
import { open, type Device } from '../tensor/device.ts'
import type { Progress } from './stateFiles.ts'
import { lessMemory } from './deviceErrors.ts'
import { trainError, trainErrorOf, type TrainError } from './trainError.ts'

/** How the caller wants devices opened, each by its name. A run that goes on keeps the choices that it began with, whatever is wanted here. */
export type DeviceChoice = OptionsByName

/** Devices that need nothing that a machine may lack. */
const onEveryMachine: ReadonlySet<string> = new Set<BackendName>(['wasm', 'cpu'])

const elsewhere = 'resume it with --device wasm to go on with the processor, and numbers that differ in their last bits'

/** Opens a device by name. With what an earlier run's progress says of the same device it computes that run's bits. */
export const openDevice = (
  name: string,
  options: DeviceChoice = {},
  earlier?: Pick<Progress, 'device' | 'machine'>,
): TE.TaskEither<TrainError, Device> => {
  const choices = earlier?.device === name ? earlier.machine : undefined
  return pipe(
    open(name, { ...options, ...(choices === undefined ? {} : { choices }) }),
    TE.mapLeft(({ message }) =>
      trainError(
        'DEVICE',
        earlier === undefined || onEveryMachine.has(name)
          ? message
          : `${message}. The run went on it before: ${elsewhere}`,
      ),
    ),
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

/** A device to train on, and what should be said of it. */
export interface FastestDevice {
  /** For the setting `device`. */
  readonly name: BackendName
  /** Why it is none that is faster; empty where none is, or its user forbids it. */
  readonly notes: readonly string[]
}

/**
 * The fastest device of this machine, found without opening it: a GPU if there is a real one, else the processor. A run names its device, so that it
 * goes on where it began: this is for who begins one and has no device in mind.
 *
 * @example
 * ```ts
 * import { configOf, fastestDevice } from 'fathom/train'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 *
 * const config = pipe(
 *   fastestDevice(),
 *   TE.chainEitherK(({ name }) => configOf({ out: 'runs/sea', device: name })),
 * )
 * await config() // => right({ device: 'wasm', … })
 * ```
 */
export const fastestDevice = (options: DeviceChoice = {}): TE.TaskEither<TrainError, FastestDevice> =>
  pipe(findFastest(options), TE.mapLeft(trainErrorOf('DEVICE')))
