/** Temporary files that a kill left behind. */
import { join } from 'node:path'
import { E } from '../prelude/fp.ts'
import type { FileSystem } from './fileSystem.ts'
import { nodeFileSystem } from './fileSystem.node.ts'

/**
 * Removes what has such a name from a directory. Only for who holds the run's lock: another process's temporary files look the same.
 * Failing is harmless (a read-only disk, say): nothing reads them.
 *
 * @param isLeftover of a name; default every `.tmp-…`, the names of files that are being written
 * @example
 * ```ts
 * import { writeFile } from 'node:fs/promises'
 * import { nodeFileSystem, removeLeftovers } from 'fathom/io'
 *
 * await writeFile('.tmp-loss.svg-4711', 'half a cur')
 * await removeLeftovers('.')()
 * await nodeFileSystem.list('.')() // => right([])
 * ```
 */
export const removeLeftovers =
  (
    directory: string,
    isLeftover: (name: string) => boolean = (name) => name.startsWith('.tmp-'),
    fileSystem: FileSystem = nodeFileSystem,
  ): (() => Promise<void>) =>
  async () => {
    const names = await fileSystem.list(directory)()
    if (E.isLeft(names)) return
    for (const name of names.right.filter(isLeftover)) await fileSystem.remove(join(directory, name))()
  }
