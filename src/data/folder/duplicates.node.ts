/**
 * Files that are there more than once, byte for byte. Found without reading what need not be read: files of different
 * lengths differ, and most others do in their first or last bytes.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { FolderReader } from './folderReader.node.ts'
import { comparePaths, type ImageFile } from './scanReport.ts'

/** Names of equal contents, two or more, in the order of their paths. */
export type Duplicates = readonly (readonly string[])[]

/** Groups of two or more by a key; what has none is alone. */
export const groupsBy = <A>(items: readonly A[], keyOf: (item: A) => string | undefined): readonly (readonly A[])[] => {
  const groups = new Map<string, A[]>()
  for (const item of items) {
    const key = keyOf(item)
    if (key === undefined) continue
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return [...groups.values()].filter((group) => group.length > 1)
}

const edgeBytes = 16384
const chunkBytes = 2 ** 20

/** The hash of parts of a file; `undefined` when it cannot be read, which its decoding reports. */
const hashOf = async (
  fileSystem: FolderReader,
  path: string,
  parts: readonly (readonly [offset: number, length: number])[],
): Promise<string | undefined> => {
  try {
    return await fileSystem.withFile(path, async (file) => {
      const hash = createHash('sha256')
      for (const [offset, length] of parts) hash.update(await file.read(offset, length))
      return hash.digest('hex')
    })
  } catch {
    return undefined
  }
}

const edges = (bytes: number): readonly (readonly [number, number])[] => [
  [0, Math.min(bytes, edgeBytes)],
  [Math.max(0, bytes - edgeBytes), Math.min(bytes, edgeBytes)],
]

const all = (bytes: number): readonly (readonly [number, number])[] =>
  Array.from({ length: Math.ceil(bytes / chunkBytes) }, (_, i) => [
    i * chunkBytes,
    Math.min(chunkBytes, bytes - i * chunkBytes),
  ])

/** The groups of files of a folder that are equal byte for byte. */
export const findDuplicates = async (
  fileSystem: FolderReader,
  folder: string,
  files: readonly ImageFile[],
): Promise<Duplicates> => {
  let groups = groupsBy(files, (file) => String(file.bytes))
  for (const parts of [edges, all]) {
    const hashes = new Map<ImageFile, string | undefined>()
    for (const file of groups.flat())
      hashes.set(file, await hashOf(fileSystem, join(folder, ...file.path.split('/')), parts(file.bytes)))
    groups = groups.flatMap((group) => groupsBy(group, (file) => hashes.get(file)))
  }
  return groups
    .map((group) => group.map((file) => file.path).toSorted(comparePaths))
    .toSorted((a, b) => comparePaths(a[0] ?? '', b[0] ?? ''))
}
