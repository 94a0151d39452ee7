/**
 * The file system of Node, behind the `FileSystem` port. On macOS libuv's fsync is F_FULLFSYNC, so that fsync means
 * durable there too.
 */
import { constants } from 'node:fs'
import { mkdir, open, readdir, readFile, realpath, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { TE } from '../prelude/fp.ts'
import type { Destination, FileSystem, FileSystemError, WriteMode } from './fileSystem.ts'

const errorCode = (reason: unknown): string =>
  reason instanceof Error && 'code' in reason && typeof reason.code === 'string' ? reason.code : 'UNKNOWN'

/** Runs one call of node:fs and turns its rejection into a `FileSystemError`. */
export const attempt = <A>(
  operation: string,
  path: string,
  call: () => Promise<A>,
): TE.TaskEither<FileSystemError, A> =>
  TE.tryCatch(call, (reason): FileSystemError => ({
    _tag: 'FileSystemError',
    code: errorCode(reason),
    operation,
    path,
    message: `cannot ${operation} ${path}: ${reason instanceof Error ? reason.message : String(reason)}`,
  }))

/** Opens, uses and closes a file, whatever happens. */
export const withFile = async <A>(
  path: string,
  flags: string | number,
  use: (file: FileHandle) => Promise<A>,
): Promise<A> => {
  const file = await open(path, flags)
  try {
    return await use(file)
  } finally {
    await file.close()
  }
}

/** Windows cannot fsync a directory (EPERM, EISDIR); its NTFS journals renames itself. */
const syncDirectory = async (path: string): Promise<void> => {
  if (process.platform === 'win32') return
  await withFile(path, 'r', (directory) => directory.sync())
}

const destination = async (path: string): Promise<Destination> => {
  const found = await stat(path).catch((reason: unknown) => {
    if (errorCode(reason) === 'ENOENT') return undefined
    throw reason
  })
  if (found?.isFile() === true) return { path: await realpath(path), isDevice: false }
  return { path, isDevice: found !== undefined && !found.isDirectory() }
}

/** Writes into what is there: a device that is gone is an error, and not made as a file. */
const writeInto = (path: string, bytes: Uint8Array): Promise<void> =>
  withFile(path, constants.O_WRONLY, (device) => device.writeFile(bytes))

const writeAndSync = (path: string, bytes: Uint8Array, mode: Exclude<WriteMode, 'into'>): Promise<void> =>
  withFile(path, mode === 'exclusive' ? 'wx' : 'w', async (file) => {
    try {
      await file.writeFile(bytes)
      await file.sync()
    } catch (error) {
      if (mode === 'exclusive') await rm(path, { force: true }) // ours: it was created by this very call
      throw error
    }
  })

/**
 * The file system of the machine.
 *
 * @example
 * ```ts
 * import { nodeFileSystem } from 'fathom/io'
 *
 * const bytes = new TextEncoder().encode('sea')
 * await nodeFileSystem.writeFile('notes.txt', bytes, 'exclusive')() // => right(undefined)
 * await nodeFileSystem.writeFile('notes.txt', bytes, 'exclusive')() // => left({ code: 'EEXIST', … })
 * await nodeFileSystem.list('.')() // => right(['notes.txt'])
 * ```
 */
export const nodeFileSystem: FileSystem = {
  makeDirectory: (path) =>
    attempt('make the directory', path, async () => {
      await mkdir(path, { recursive: true })
    }),
  writeFile: (path, bytes, mode) =>
    attempt('write', path, () => (mode === 'into' ? writeInto(path, bytes) : writeAndSync(path, bytes, mode))),
  destination: (path) => attempt('write', path, () => destination(path)),
  syncDirectory: (path) => attempt('sync the directory', path, () => syncDirectory(path)),
  rename: (from, to) => attempt('rename', from, () => rename(from, to)),
  remove: (path) => attempt('remove', path, () => rm(path, { recursive: true, force: true })),
  readFile: (path) => attempt('read', path, () => readFile(path)),
  list: (path) => attempt('list', path, async () => (await readdir(path)).toSorted()),
}
