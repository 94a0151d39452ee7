/** A format of files of weights: named arrays as bytes, and back. Which there are says `weightsFormats.ts`. */
import type { E } from '../prelude/fp.ts'
import type { ArrayRecord } from './arrayRecord.ts'
import type { SafetensorsError } from './safetensorsHeader.ts'

/** A file whose format is not known, or that is not what its format asks for. */
export interface FormatError {
  readonly _tag: 'FormatError'
  readonly message: string
}

/** The error with these words. */
export const formatError = (message: string): FormatError => ({ _tag: 'FormatError', message })

/** What is wrong with the bytes of a file. */
export type UnreadableError = FormatError | SafetensorsError

/** How arrays lie in a file. */
export interface WeightsFormat {
  readonly name: string
  /** The end of a file's name, with its dot: it says in which format a file is written. */
  readonly extension: string
  /** Whether a file begins as those of this format do: it says in which format a file is read, whatever its name. */
  readonly begins: (bytes: Uint8Array) => boolean
  readonly read: (bytes: Uint8Array) => E.Either<UnreadableError, ReadonlyMap<string, ArrayRecord>>
  /**
   * The same arrays give the same bytes. Left for what the format cannot hold.
   *
   * @param metadata texts that go with the file, if the caller has any
   */
  readonly write: (
    records: Iterable<readonly [name: string, record: ArrayRecord]>,
    metadata: ReadonlyMap<string, string> | undefined,
  ) => E.Either<FormatError, Uint8Array>
}
