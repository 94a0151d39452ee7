/** What can go wrong in a run, as a tagged record: the Left of every TaskEither of this folder. */

/** Stable codes. */
export type TrainErrorCode =
  | 'CFG' // the configuration has no meaning
  | 'DATA' // the pictures cannot be used
  | 'DEVICE' // the device could not be opened
  | 'DEVICE-LOST' // the device was lost, with what lay in its memory
  | 'MEMORY' // a step needs more memory than the device has
  | 'RUN-EXISTS' // the directory holds a run already
  | 'RUN-NONE' // the directory holds no run
  | 'RUN-IO' // the run directory cannot be read or written
  | 'RUN-LOCK' // another process works on the run
  | 'CKPT' // no checkpoint can be used
  | 'WEIGHTS' // a file does not hold the network's weights
  | 'DIVERGED' // the loss is no longer a number

/** A setting that is wrong, for who calls it by another name, as the command does by its flag. */
export interface SettingError {
  /** The setting and those it is part of, joined by dots: `steps`, `model.width`. */
  readonly path: string
  /** What it must be: `a whole number ≥ 1`; undefined if there is no such setting. */
  readonly expected: string | undefined
  /** The value as a message shows it. */
  readonly got: string
  /** What was probably meant, as `; did you mean steps?`, or nothing. */
  readonly hint?: string
}

/** An error of a run; the message says what happened, where, and what to do. */
export interface TrainError {
  readonly _tag: 'TrainError'
  readonly code: TrainErrorCode
  readonly message: string
  /** The setting that is wrong, if one is. */
  readonly setting?: SettingError
  /** What the device said, where it was lost or has too little memory. */
  readonly reason?: string
}

/**
 * What is wrong with a setting, as a sentence.
 *
 * @param name what the setting is called in it; its path, unless it is given
 * @example
 * ```ts
 * import { showSettingError } from 'fathom/train'
 *
 * const error = { path: 'steps', expected: 'a whole number ≥ 1', got: '0' }
 * showSettingError(error) // => 'steps must be a whole number ≥ 1, got 0'
 * showSettingError(error, '--steps') // => '--steps must be a whole number ≥ 1, got 0'
 * ```
 */
export const showSettingError = ({ path, expected, got, hint = '' }: SettingError, name = path): string =>
  expected === undefined ? `${name} is not a setting${hint}` : `${name} must be ${expected}, got ${got}${hint}`

/** Makes a {@link TrainError}. */
export const trainError = (code: TrainErrorCode, message: string): TrainError => ({ _tag: 'TrainError', code, message })

/** A {@link TrainError} about a setting. */
export const settingError = (setting: SettingError): TrainError => ({
  ...trainError('CFG', showSettingError(setting)),
  setting,
})

/** A {@link TrainError} with the message of another error. */
export const trainErrorOf =
  (code: TrainErrorCode) =>
  ({ message }: { readonly message: string }): TrainError =>
    trainError(code, message)
