/**
 * The few file system calls that durable writing needs, as a port.
 *
 * Why a port: tests replace it by one that runs out of space, fails or loses power after each single operation
 * (the method of Pillai et al. 2014, "All File Systems Are Not Created Equal"). The real one is `nodeFileSystem`.
 */
import type { TE } from '../prelude/fp.ts'

/** A file system call that failed: the operating system's code (`ENOSPC`, `EACCES`, …), the call and the path. */
export type FileSystemError = {
  readonly _tag: 'FileSystemError'
  readonly code: string
  readonly operation: string
  readonly path: string
  readonly message: string
}

/**
 * What `writeFile` does with a file that is there already: empties it (`replace`), or fails with `EEXIST`
 * (`exclusive`); `exclusive` leaves no file when it fails. `into` writes into a device or a pipe, which is never made, and has nothing to sync.
 */
export type WriteMode = 'replace' | 'exclusive' | 'into'

/** Where what is written to a path goes. */
export interface Destination {
  /** The path at the end of symbolic links. */
  readonly path: string
  /** Whether it is a device, a pipe or a socket: it can be written into, and must not be replaced. */
  readonly isDevice: boolean
}

/**
 * File system calls. Each does one thing, and has happened for certain only where its comment says that it survives a
 * power failure.
 */
export type FileSystem = {
  /** Makes a directory and those above it; no error when it is there. */
  readonly makeDirectory: (path: string) => TE.TaskEither<FileSystemError, void>
  /**
   * Creates a file, writes all bytes, and fsyncs it: its content survives, its name only after `syncDirectory` of its
   * parent.
   */
  readonly writeFile: (path: string, bytes: Uint8Array, mode: WriteMode) => TE.TaskEither<FileSystemError, void>
  /** Fsyncs a directory: every create, rename and remove in it survives. */
  readonly syncDirectory: (path: string) => TE.TaskEither<FileSystemError, void>
  /** Where what is written to a path goes; where there is nothing yet, to that path. */
  readonly destination: (path: string) => TE.TaskEither<FileSystemError, Destination>
  /** Renames within a file system, atomically; a file at `to` is replaced. */
  readonly rename: (from: string, to: string) => TE.TaskEither<FileSystemError, void>
  /** Removes a file or a whole directory; no error when it is not there. */
  readonly remove: (path: string) => TE.TaskEither<FileSystemError, void>
  /** The bytes of a file. */
  readonly readFile: (path: string) => TE.TaskEither<FileSystemError, Uint8Array>
  /** The names in a directory, sorted; `ENOENT` when it is not there. */
  readonly list: (path: string) => TE.TaskEither<FileSystemError, readonly string[]>
}

/** Whether the error says that there is no such file or directory. */
export const isMissing = (error: FileSystemError): boolean => error.code === 'ENOENT' || error.code === 'ENOTDIR'

/** Whether the error says that the disk or the quota is full. */
export const isFull = (error: FileSystemError): boolean => error.code === 'ENOSPC' || error.code === 'EDQUOT'
