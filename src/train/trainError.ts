/** What can go wrong in a run, as a tagged record: the Left of every TaskEither of this folder. */

/** Stable codes. */
export type TrainErrorCode =
  | 'CFG' // the configuration has no meaning
  | 'DATA' // the pictures cannot be used
  | 'DEVICE' // the device could not be opened
  | 'MEMORY' // a step needs more memory than the device has
  | 'RUN-EXISTS' // the directory holds a run already
  | 'RUN-NONE' // the directory holds no run
  | 'RUN-IO' // the run directory cannot be read or written
  | 'RUN-LOCK' // another process works on the run
  | 'CKPT' // no checkpoint can be used
  | 'WEIGHTS' // a file does not hold the network's weights
  | 'DIVERGED' // the loss is no longer a number

/** An error of a run; the message says what happened, where, and what to do. */
export interface TrainError {
  readonly _tag: 'TrainError'
  readonly code: TrainErrorCode
  readonly message: string
}

/** Makes a {@link TrainError}. */
export const trainError = (code: TrainErrorCode, message: string): TrainError => ({ _tag: 'TrainError', code, message })

/** A {@link TrainError} with the message of another error. */
export const trainErrorOf =
  (code: TrainErrorCode) =>
  ({ message }: { readonly message: string }): TrainError =>
    trainError(code, message)
