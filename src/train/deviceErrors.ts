/** What devices throw while they work, as errors of a run: that they are lost, and that their memory is full. All else is a bug, and is thrown on. */
import { DeviceLost, OutOfMemory } from '../prelude/errors.ts'
import { E, type TE } from '../prelude/fp.ts'
import { trainError, type TrainError } from './trainError.ts'

/** What helps where a step is too large. */
const smallerStep =
  'use a smaller batch (and accumulate), smaller pictures, a narrower network, or mixed precision (--precision mixed)'

/** That, for this device: the machine's memory may be larger than a GPU's. */
export const lessMemory = (device: string): string =>
  device === 'wasm' || device === 'cpu' ? smallerStep : `${smallerStep}; or compute with --device wasm`

/** The error of a run for what was thrown; undefined where it is a bug. @param device the device's name */
export const deviceErrorOf = (thrown: unknown, device: string): TrainError | undefined => {
  if (thrown instanceof DeviceLost) return { ...trainError('DEVICE-LOST', thrown.message), reason: thrown.reason }
  if (thrown instanceof OutOfMemory)
    return {
      ...trainError('MEMORY', `'${device}' has too little memory: ${thrown.reason}; ${lessMemory(device)}`),
      reason: thrown.reason,
    }
  return undefined
}

/** The task, Left where it throws because the device is lost or its memory is full. */
export const orDeviceError =
  (device: string) =>
  <A>(task: TE.TaskEither<TrainError, A>): TE.TaskEither<TrainError, A> =>
  async () => {
    try {
      return await task()
    } catch (e) {
      const error = deviceErrorOf(e, device)
      if (error === undefined) throw e
      return E.left(error)
    }
  }
