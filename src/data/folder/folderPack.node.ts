/**
 * The pack of a folder's pictures: found in the cache, completed when something of the moment kept files out of it the
 * last time, or made.
 */
import { join } from 'node:path'
import { E } from '../../prelude/fp.ts'
import { byteBudget, defaultBudget, type ByteBudget } from './byteBudget.ts'
import { sweepCache } from './cacheSweep.node.ts'
import { dataError, type DataError } from './dataError.ts'
import { errnoOf, type FolderReader } from './folderReader.node.ts'
import type { CacheReport } from './cacheReport.ts'
import type { ImageShape } from './decodeOptions.ts'
import type { Limits } from './limits.ts'
import { decodeImage, readWhole } from './decodeImage.node.ts'
import { orderedMap } from './orderedMap.ts'
import { openPack, writePack, type Decoded, type Pack } from './packedCache.node.ts'
import { packKey, type PackRecipe } from './packKey.node.ts'
import { pathInFolder } from './scanFolder.node.ts'
import { skippedFile, type ImageFile, type ScanReport, type SkippedFile } from './scanReport.ts'
import type { Sharp } from './sharp.node.ts'
import { showPath } from './showPath.ts'
import { isTransient } from './skipReason.ts'

/** What decoding a folder depends on. */
export interface PackSettings extends ImageShape, Limits {
  readonly matte: number
  readonly timeoutSeconds: number
  readonly maxEnlargement: number
  readonly followLinks: boolean
  readonly cacheDirectory: string
  readonly fileSystem: FolderReader
  readonly onDecoded: (done: number, total: number) => void
}

/** A pack and where it came from. */
export interface OpenedPack {
  readonly pack: Pack
  readonly cache: CacheReport
}

/** The work at hand: what to decode, from where, how. */
interface Work {
  readonly sharp: Sharp
  readonly root: string
  readonly files: readonly ImageFile[]
  readonly settings: PackSettings
}

const recipeOf = ({ sharp, root, files, settings }: Work): PackRecipe => {
  const { height, width, channels, matte, maxPixels, maxBytes, maxEnlargement, followLinks } = settings
  return {
    folder: root,
    height,
    width,
    channels,
    matte,
    maxPixels,
    maxBytes,
    maxEnlargement,
    followLinks,
    decoder: `sharp ${sharp.versions.sharp ?? ''}, libvips ${sharp.versions.vips}`,
    files: files.map(({ path, bytes, mtime, ctime }) => [path, bytes, mtime, ctime] as const),
  }
}

const decodeFile = async ({ sharp, root, settings }: Work, file: ImageFile, budget: ByteBudget): Promise<Decoded> => {
  const skip = (fault: Parameters<typeof skippedFile>[1]): Decoded => ({
    _tag: 'Skipped',
    file: skippedFile(file.path, fault),
  })
  const release = await budget(file.bytes)
  try {
    const read = await readWhole(settings.fileSystem, pathInFolder(root, file.path), settings.maxBytes)
    if (E.isLeft(read)) return skip(read.left)
    const { bytes, ctime } = read.right
    if (bytes.length !== file.bytes || ctime !== file.ctime)
      return skip({ reason: 'changed', kind: 'file', detail: 'It was changed between the scan and the decoding.' })
    const image = await decodeImage(sharp, bytes, settings)
    return E.isLeft(image) ? skip(image.left) : { _tag: 'Pixels', name: file.path, pixels: image.right.pixels }
  } finally {
    release()
  }
}

/** Four at a time: libuv's pool has four threads, and each decoder may hold a whole picture. */
const decodeConcurrency = 4

async function* decodeAll(work: Work): AsyncGenerator<Decoded> {
  const budget = byteBudget(defaultBudget)
  let done = 0
  for await (const decoded of orderedMap(work.files, decodeConcurrency, (file) => decodeFile(work, file, budget))) {
    yield decoded
    work.settings.onDecoded(++done, work.files.length)
  }
}

const cacheError = (path: string, error: unknown): DataError => {
  const code = errnoOf(error)
  const advice = code === 'ENOSPC' ? 'Free some disk space, or choose' : 'Choose'
  const message =
    `The cache of decoded pictures cannot be written to ${showPath(path)}: ${code}. ` +
    `${advice} another cacheDirectory (or XDG_CACHE_HOME).`
  return dataError('DATA-CACHE', message, path)
}

/** Writes a pack; what the disk refuses is an error, what else goes wrong a bug, here or in onProgress. */
const write = async (
  { settings }: Work,
  key: string,
  decoded: AsyncIterable<Decoded>,
  replace: boolean,
): Promise<E.Either<DataError, void>> => {
  try {
    await writePack(settings.cacheDirectory, key, settings, decoded, replace)
    return E.right(undefined)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    return E.left(cacheError(settings.cacheDirectory, error))
  }
}

/** Files of a pack that something of the moment kept out of it. */
const passing = ({ manifest }: Pack): readonly SkippedFile[] =>
  manifest.skipped.filter((file) => isTransient(file.reason))

/** What is known of each file: from a pack, or else decoded now. */
async function* merged(
  files: readonly ImageFile[],
  old: Pack,
  fresh: ReadonlyMap<string, Decoded>,
): AsyncGenerator<Decoded> {
  const places = new Map(old.manifest.names.map((name, i) => [name, i]))
  const skipped = new Map(old.manifest.skipped.map((file) => [file.path, file]))
  for (const { path } of files) {
    const now = fresh.get(path)
    const pixels = old.pictureAt(places.get(path) ?? -1)
    const fault = skipped.get(path)
    if (now !== undefined) yield now
    else if (pixels !== undefined) yield { _tag: 'Pixels', name: path, pixels }
    else if (fault !== undefined) yield { _tag: 'Skipped', file: fault }
  }
}

const withSkipped = (pack: Pack, fresh: ReadonlyMap<string, Decoded>): Pack => {
  const skipped = pack.manifest.skipped.map((file) => {
    const now = fresh.get(file.path)
    return now?._tag === 'Skipped' ? now.file : file
  })
  return { ...pack, manifest: { ...pack.manifest, skipped } }
}

/**
 * Tries again what something of the moment (a timeout, memory, the disk) kept out of a pack, and only that. The pack
 * stays as it is when nothing has changed.
 */
const complete = async (work: Work, key: string, old: Pack): Promise<E.Either<DataError, OpenedPack>> => {
  const path = join(work.settings.cacheDirectory, key)
  const again = new Set(passing(old).map((file) => file.path))
  const fresh = new Map<string, Decoded>()
  for await (const decoded of decodeAll({ ...work, files: work.files.filter((file) => again.has(file.path)) }))
    fresh.set(decoded._tag === 'Pixels' ? decoded.name : decoded.file.path, decoded)
  const settled = [...fresh.values()].filter((now) => now._tag === 'Pixels' || !isTransient(now.file.reason)).length
  if (settled === 0) return E.right({ pack: withSkipped(old, fresh), cache: { path, state: 'reused' } })
  const written = await write(work, key, merged(work.files, old, fresh), true)
  if (E.isLeft(written)) return written
  const pack = await openPack(work.settings.cacheDirectory, key, work.settings)
  const why = `${settled} of ${again.size} files that could not be read the last time could be now`
  if (E.isRight(pack)) return E.right({ pack: pack.right, cache: { path, state: 'completed', why } })
  return E.left(cacheError(path, new Error('what was written cannot be read')))
}

/** Makes a pack anew. Another process may replace it before it is read: then once more. */
const build = async (
  work: Work,
  key: string,
  damage: string | undefined,
  tries = 3,
): Promise<E.Either<DataError, OpenedPack>> => {
  const { cacheDirectory } = work.settings
  const path = join(cacheDirectory, key)
  const written = await write(work, key, decodeAll(work), damage !== undefined)
  if (E.isLeft(written)) return written
  const pack = await openPack(cacheDirectory, key, work.settings)
  if (E.isRight(pack)) {
    const cache: CacheReport =
      damage === undefined
        ? { path, state: 'created' }
        : { path, state: 'rebuilt', why: `the cache was damaged: ${damage}` }
    return E.right({ pack: pack.right, cache })
  }
  if (pack.left._tag === 'Absent' && tries > 1) return build(work, key, damage, tries - 1)
  const why = pack.left._tag === 'Damaged' ? `after writing, ${pack.left.why}` : 'it vanished after writing'
  return E.left(cacheError(cacheDirectory, new Error(why)))
}

const openOrBuild = async (work: Work, key: string): Promise<E.Either<DataError, OpenedPack>> => {
  const { cacheDirectory } = work.settings
  const found = await openPack(cacheDirectory, key, work.settings)
  if (E.isLeft(found)) return build(work, key, found.left._tag === 'Damaged' ? found.left.why : undefined)
  if (passing(found.right).length > 0) return complete(work, key, found.right)
  return E.right({ pack: found.right, cache: { path: join(cacheDirectory, key), state: 'reused' } })
}

/** Opens the pack of the usable files of a scan, and clears out of the cache what it replaces. */
export const openFolderPack = async (
  sharp: Sharp,
  root: string,
  scan: ScanReport,
  settings: PackSettings,
): Promise<E.Either<DataError, OpenedPack>> => {
  const work: Work = { sharp, root, files: scan.usable, settings }
  const key = packKey(recipeOf(work))
  const opened = await openOrBuild(work, key)
  if (E.isRight(opened)) await sweepCache(settings.cacheDirectory, key)
  return opened
}
