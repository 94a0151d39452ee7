/** safetensors files on disk: read strictly, written so that a crash leaves the old file or the new one. */
import { requireKnown } from '../prelude/options.ts'
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
 * @example
 * ```ts
 * import { readSafetensorsFile, writeSafetensorsFile } from 'fathom/io'
 *
 * await writeSafetensorsFile('model.safetensors', [['bias', { dtype: 'u8', shape: [2], bytes: Uint8Array.of(1, 2) }]])()
 * const read = await readSafetensorsFile('model.safetensors')()
 * if (read._tag === 'Left') throw new Error(read.left.message)
 * read.right.tensors.get('bias') // => { dtype: 'u8', shape: [2], bytes: [1, 2] }
 * await readSafetensorsFile('modle.safetensors')() // => left({ _tag: 'FileSystemError', code: 'ENOENT', … })
 * ```
 */
export const readSafetensorsFile = (
  path: string,
  options: { readonly maxTensors?: number } = {},
): TE.TaskEither<FileSystemError | SafetensorsError, Safetensors> => {
  requireKnown('readSafetensorsFile', options, ['maxTensors'])
  return pipe(
    nodeFileSystem.readFile(path),
    TE.chainEitherKW((bytes) => readSafetensors(bytes, options)),
    TE.mapLeft((error) =>
      error._tag === 'SafetensorsError' ? { ...error, message: `${path}: ${error.message}` } : error,
    ),
  )
}

/**
 * Writes a safetensors file under a temporary name, fsyncs it and renames it.
 *
 * @throws RangeError as `writeSafetensors` does, before anything is written
 * @example
 * ```ts
 * import { writeSafetensorsFile } from 'fathom/io'
 *
 * const bias = { dtype: 'f32', shape: [2], bytes: new Uint8Array(Float32Array.of(1, 2).buffer) } as const
 * await writeSafetensorsFile('model.safetensors', [['bias', bias]], new Map([['step', '600']]))() // => right(undefined)
 * await writeSafetensorsFile('no/such/folder', [['bias', bias]])() // => left({ code: 'ENOENT', … })
 * ```
 */
export const writeSafetensorsFile = (
  path: string,
  tensors: Iterable<readonly [name: string, record: ArrayRecord]>,
  metadata: ReadonlyMap<string, string> = new Map(),
): TE.TaskEither<FileSystemError, void> => replaceFile(path, writeSafetensors(tensors, metadata))
