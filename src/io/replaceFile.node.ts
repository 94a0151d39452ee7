/**
 * Replacing a file so that after a crash its name leads to the old content or to the new one, never to a mixture or
 * to nothing: write beside it, fsync, rename over it, fsync the directory.
 */
import { randomUUID } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { pipe, TE } from '../prelude/fp.ts'
import type { FileSystem, FileSystemError } from './fileSystem.ts'
import { nodeFileSystem } from './fileSystem.node.ts'

const replace = (path: string, bytes: Uint8Array, fileSystem: FileSystem): TE.TaskEither<FileSystemError, void> => {
  const temporary = join(dirname(path), `.tmp-${basename(path)}-${randomUUID().slice(0, 8)}-${process.pid}`)
  return pipe(
    fileSystem.writeFile(temporary, bytes, 'replace'),
    TE.chain(() => fileSystem.rename(temporary, path)),
    TE.orElseFirst(() => fileSystem.remove(temporary)),
    TE.chain(() => fileSystem.syncDirectory(dirname(path))),
  )
}

/**
 * Replaces (or creates) the file at `path` with `bytes`, atomically and durably. The temporary file,
 * `.tmp-<name>-<random>-<pid>`, is removed when a step fails: no two processes share it, nor two containers in which both count from 1.
 * A symbolic link stays, and the file that it leads to is replaced; a device or a pipe (`/dev/stdout`, `/dev/null`) is written into.
 *
 * @param fileSystem where; Node's by default
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { replaceFile } from 'fathom/io'
 *
 * const write = (text: string) => replaceFile('latest', new TextEncoder().encode(text))
 * await write('step-000100')()
 * await write('step-000200')() // => right(undefined)
 * await readFile('latest', 'utf8') // => 'step-000200'
 * ```
 */
export const replaceFile = (
  path: string,
  bytes: Uint8Array,
  fileSystem: FileSystem = nodeFileSystem,
): TE.TaskEither<FileSystemError, void> =>
  pipe(
    fileSystem.destination(path),
    TE.chain((to) =>
      to.isDevice ? fileSystem.writeFile(to.path, bytes, 'into') : replace(to.path, bytes, fileSystem),
    ),
  )
