/**
 * The few things that reading a folder of pictures asks of a file system, as a value: tests hand in one that fails, and nothing else here touches
 * `node:fs` to read pictures. Files are read by offset, so that a scan of large photographs reads only their heads and tails. What is written, and
 * must survive a power failure, goes through `io/fileSystem.ts`.
 */
import type { BigIntStats } from 'node:fs'
import { lstat, open, readdir, realpath } from 'node:fs/promises'

/** What a name in a folder stands for. */
export type EntryKind = 'file' | 'folder' | 'link' | 'special'

/** A name in a folder, as the disk has it: bytes, which need not be UTF-8. */
export interface Entry {
  readonly name: Uint8Array
  readonly kind: EntryKind
}

/** What is known of a file without reading it. */
export interface FileStatus {
  readonly kind: EntryKind
  readonly bytes: number
  /** Last change, milliseconds since 1970. */
  readonly mtime: number
  /**
   * Last change of contents or of what the system knows of them, milliseconds since 1970. Unlike {@link mtime} it cannot
   * be set: a copy that keeps times (`cp -p`, `rsync -t`) has an mtime of its own choice, and a ctime of now.
   */
  readonly ctime: number
  /** Equal for two paths when they lead to the same file or folder: device and inode. */
  readonly identity: string
}

/** An open file. */
export interface OpenFile {
  readonly status: () => Promise<FileStatus>
  /** `length` bytes from `offset`, fewer at the end of the file. */
  readonly read: (offset: number, length: number) => Promise<Uint8Array>
}

/** Every function rejects with Node's errors (`code: 'EACCES'` …). */
export interface FolderReader {
  readonly list: (folder: string) => Promise<readonly Entry[]>
  /** Of the path itself: a link is a link. */
  readonly status: (path: string) => Promise<FileStatus>
  readonly realPath: (path: string) => Promise<string>
  /** Opens, hands the file to `use`, closes. */
  readonly withFile: <A>(path: string, use: (file: OpenFile) => Promise<A>) => Promise<A>
}

interface Kinds {
  isFile(): boolean
  isDirectory(): boolean
  isSymbolicLink(): boolean
}

const kindOf = (entry: Kinds): EntryKind =>
  entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : entry.isSymbolicLink() ? 'link' : 'special'

const statusOf = (stats: BigIntStats): FileStatus => ({
  kind: kindOf(stats),
  bytes: Number(stats.size),
  mtime: Number(stats.mtimeNs / 1000n) / 1000,
  ctime: Number(stats.ctimeNs / 1000n) / 1000,
  identity: `${stats.dev}:${stats.ino}`,
})

/** Node's own file system. */
export const nodeFolderReader: FolderReader = {
  list: async (folder) => {
    const entries = await readdir(folder, { withFileTypes: true, encoding: 'buffer' })
    return entries.map((entry) => ({ name: entry.name, kind: kindOf(entry) }))
  },
  status: async (path) => statusOf(await lstat(path, { bigint: true })),
  realPath: (path) => realpath(path),
  withFile: async (path, use) => {
    const handle = await open(path, 'r')
    try {
      return await use({
        status: async () => statusOf(await handle.stat({ bigint: true })),
        read: async (offset, length) => {
          const buffer = Buffer.allocUnsafeSlow(length)
          let filled = 0
          while (filled < length) {
            const { bytesRead } = await handle.read(buffer, filled, length - filled, offset + filled)
            if (bytesRead === 0) break
            filled += bytesRead
          }
          return buffer.subarray(0, filled)
        },
      })
    } finally {
      await handle.close()
    }
  },
}

/** Node's error code of something caught, for sentences: `EACCES`; the message itself when there is none. */
export const errnoOf = (error: unknown): string => {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string')
    return error.code
  return error instanceof Error ? error.message : String(error)
}
