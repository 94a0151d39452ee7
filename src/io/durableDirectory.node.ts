/** Making a directory so that after a power failure its name is still there, and those of the directories above it. */
import { dirname } from 'node:path'
import { pipe, TE } from '../prelude/fp.ts'
import { isMissing, type FileSystem, type FileSystemError } from './fileSystem.ts'
import { nodeFileSystem } from './fileSystem.node.ts'

/**
 * Makes a directory, and those above it that are missing, each synced into the one above. Nothing is written where it is there.
 *
 * @param fileSystem where; Node's by default
 * @example
 * ```ts
 * import { makeDurableDirectory, nodeFileSystem } from 'fathom/io'
 *
 * await makeDurableDirectory('runs/sea/samples')() // => right(undefined)
 * await nodeFileSystem.list('runs/sea')() // => right(['samples'])
 * ```
 */
export const makeDurableDirectory = (
  path: string,
  fileSystem: FileSystem = nodeFileSystem,
): TE.TaskEither<FileSystemError, void> => {
  const above = dirname(path)
  const make = pipe(
    above === path ? TE.right(undefined) : makeDurableDirectory(above, fileSystem),
    TE.chain(() => fileSystem.makeDirectory(path)),
    TE.chain(() => fileSystem.syncDirectory(above)),
  )
  return pipe(
    fileSystem.list(path),
    TE.map(() => undefined),
    TE.orElse((error) => (isMissing(error) ? make : TE.left(error))),
  )
}
