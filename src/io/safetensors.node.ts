/** safetensors files on disk: read strictly, written so that a crash leaves the old file or the new one. */
import { pipe, TE } from '../prelude/fp.ts'
import type { ArrayRecord } from './arrayRecord.ts'
import type { FileSystemError } from './fileSystem.ts'
import { nodeFileSystem } from './fileSystem.node.ts'
import { replaceFile } from './replaceFile.node.ts'
import { readSafetensors, writeSafetensors, type Safetensors, type SafetensorsError } from './safetensors.ts'

/**
 * Reads a safetensors file.
 *
 * @param options maxTensors: most tensors that are accepted (default 100,000)
 * @returns Left with a `FileSystemError`, or with a `SafetensorsError` whose message names the file
 */
export const readSafetensorsFile = (
  path: string,
  options: { readonly maxTensors?: number } = {},
): TE.TaskEither<FileSystemError | SafetensorsError, Safetensors> =>
  pipe(
    nodeFileSystem.readFile(path),
    TE.chainEitherKW((bytes) => readSafetensors(bytes, options)),
    TE.mapLeft((error) =>
      error._tag === 'SafetensorsError' ? { ...error, message: `${path}: ${error.message}` } : error,
    ),
  )

/**
 * Writes a safetensors file under a temporary name, fsyncs it and renames it.
 *
 * @throws RangeError as `writeSafetensors` does, before anything is written
 */
export const writeSafetensorsFile = (
  path: string,
  tensors: Iterable<readonly [name: string, record: ArrayRecord]>,
  metadata: ReadonlyMap<string, string> = new Map(),
): TE.TaskEither<FileSystemError, void> => replaceFile(path, writeSafetensors(tensors, metadata))
