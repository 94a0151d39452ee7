/**
 * What can go wrong when pictures are read from a disk, as a tagged record (the Left of every TaskEither of this
 * folder).
 */
import type { Fault } from './skipReason.ts'
import { skipReasons } from './skipReason.ts'
import { showPath } from './showPath.ts'

/** Stable codes, for `fathom explain`. */
export type DataErrorCode =
  | 'DATA-FOLDER' // the folder does not exist, is none, or cannot be listed
  | 'DATA-NONE' // nothing usable in it
  | 'DATA-SHARP' // the decoder is not installed
  | 'DATA-FILE' // one file cannot be used (loadImage)
  | 'DATA-CACHE' // the packed cache cannot be written
  | 'DATA-LARGE' // the packed pictures do not fit in memory
  | 'DATA-OPTION' // an option has no meaning

/** An error about pictures on a disk; the message says what happened, where, and what to do. */
export interface DataError {
  readonly _tag: 'DataError'
  readonly code: DataErrorCode
  readonly message: string
  /** The file or folder, where there is one. */
  readonly path?: string
  /** Why one file cannot be used; only with `DATA-FILE`. */
  readonly fault?: Fault
}

/** Makes a {@link DataError}. */
export const dataError = (code: DataErrorCode, message: string, path?: string): DataError =>
  path === undefined ? { _tag: 'DataError', code, message } : { _tag: 'DataError', code, message, path }

/** The error of a single file that cannot be used. */
export const fileError = (path: string, fault: Fault): DataError => ({
  _tag: 'DataError',
  code: 'DATA-FILE',
  message: `${showPath(path)} cannot be used: ${fault.detail} ${skipReasons[fault.reason].advice}`,
  path,
  fault,
})
