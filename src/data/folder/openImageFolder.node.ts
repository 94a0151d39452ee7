/**
 * A folder of photographs as an {@link ImageSet}: scan, decode once into a packed cache, open the cache.
 *
 * Nothing is ever written into the user's folder.
 */
import { realpath } from 'node:fs/promises'
import { homedir, totalmem } from 'node:os'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { E, TE, pipe } from '../../prelude/fp.ts'
import type { ImageSet } from '../imageSet.ts'
import type { DataError } from './dataError.ts'
import { dataError } from './dataError.ts'
import { errnoOf, nodeFileSystem } from './fileSystem.node.ts'
import type { FileSystem } from './fileSystem.node.ts'
import { defaultLimits } from './limits.ts'
import type { DecodeOptions } from './decodeOptions.ts'
import { checkOptions, decodeImage, readWhole } from './loadImage.node.ts'
import { orderedMap } from './orderedMap.ts'
import type { Decoded, Pack, PackRecipe } from './packedCache.node.ts'
import { openPack, packKey, writePack } from './packedCache.node.ts'
import type { ScanOptions, ScanProgress } from './scanFolder.node.ts'
import { pathInFolder, scanFolder } from './scanFolder.node.ts'
import type { ImageFile, ScanReport } from './scanReport.ts'
import { mainAdvice, scanReport, skippedFile, summariseSkipped } from './scanReport.ts'
import type { Sharp } from './sharp.node.ts'
import { loadSharp } from './sharp.node.ts'
import { showPath } from './showPath.ts'
import { isLoss, isTransient } from './skipReason.ts'

/** How far along opening is; called after every file. */
export type FolderProgress = ScanProgress | { readonly phase: 'decode'; readonly done: number; readonly total: number }

/** Size and channels are needed, all else is optional. */
export interface FolderOptions extends DecodeOptions, Pick<ScanOptions, 'followLinks'> {
  /**
   * Where packs are kept. Default `$XDG_CACHE_HOME/fathom/images` or `~/.cache/fathom/images`. Must not lie in the
   * folder.
   */
  readonly cacheDirectory?: string
  /** Pictures that would have to be enlarged more than this are skipped as too small. Default 2. */
  readonly maxEnlargement?: number
  /** Bytes of memory that the set may take. Default half of the machine's. */
  readonly maxMemory?: number
  /** Called after every file of the scan, then after every picture that is decoded. */
  readonly onProgress?: (progress: FolderProgress) => void
  readonly fileSystem?: FileSystem
}

/** What became of the cache. */
export interface CacheReport {
  /** The pack's folder. */
  readonly path: string
  /** `created`: there was none. `reused`: found and verified. `rebuilt`: found, but not to be used. */
  readonly state: 'created' | 'reused' | 'rebuilt'
  /** Why it was rebuilt. */
  readonly why?: string
}

/** The scan, after decoding too: `usable` are exactly the pictures of the set, in its order. */
export interface FolderReport extends ScanReport {
  readonly cache: CacheReport
  /** Sentences that a person should see; empty when all is well. */
  readonly warnings: readonly string[]
}

/** The pictures of a folder. */
export interface FolderImageSet extends ImageSet {
  readonly kind: 'folder'
  readonly channels: 1 | 3 | 4
  /** Paths relative to the folder, in the order of the pictures. */
  readonly names: readonly string[]
  /**
   * SHA-256 (hexadecimal) of all pixels in their order: equal for equal pictures wherever they lie and whatever they are
   * called, another one when any of them is another picture. It costs nothing: the cache was checked against it.
   */
  readonly fingerprint: string
  readonly report: FolderReport
}

type Settings = Required<Omit<FolderOptions, 'onProgress'>> & Pick<FolderOptions, 'onProgress'>

const defaultCache = (): string => {
  const xdg = process.env['XDG_CACHE_HOME'] // the XDG specification: a relative path is to be ignored
  return join(xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), '.cache'), 'fathom', 'images')
}

const settingsOf = (options: FolderOptions): Settings => ({
  ...defaultLimits,
  matte: 128,
  timeoutSeconds: 10,
  followLinks: false,
  maxEnlargement: 2,
  maxMemory: totalmem() / 2,
  fileSystem: nodeFileSystem,
  ...options,
  cacheDirectory: resolve(options.cacheDirectory ?? defaultCache()),
})

/** How much a picture has to be enlarged to fill the size; below 1 it is shrunk. */
const enlargement = (file: ImageFile, { height, width }: Settings): number =>
  Math.max(height / file.height, width / file.width)

/** Moves what is too small for the size from usable to skipped. */
const withoutTooSmall = (scan: ScanReport, settings: Settings): ScanReport => {
  const [kept, small] = [true, false].map((fits) =>
    scan.usable.filter((file) => enlargement(file, settings) <= settings.maxEnlargement === fits),
  )
  const skipped = (small ?? []).map((file) =>
    skippedFile(file.path, {
      reason: 'too-small',
      kind: 'picture',
      detail: `${file.width}×${file.height} pixels would be enlarged ${enlargement(file, settings).toFixed(1)} times.`,
    }),
  )
  return scanReport(scan.folder, kept ?? [], [...scan.skipped, ...skipped], scan.ignored)
}

/** The real path of the deepest part that exists, with the rest appended: where a folder will be once it is made. */
const futureRealPath = async (path: string): Promise<string> => {
  try {
    return await realpath(path)
  } catch {
    return dirname(path) === path ? path : join(await futureRealPath(dirname(path)), basename(path))
  }
}

const checkCachePlace = async (folder: string, settings: Settings): Promise<E.Either<DataError, string>> => {
  const root = await futureRealPath(resolve(folder))
  const cache = await futureRealPath(settings.cacheDirectory)
  const way = relative(root, cache)
  if (way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way)) return E.right(root)
  const message =
    `The cache ${showPath(cache)} lies inside the picture folder ${showPath(folder)}, where nothing may be written: ` +
    'choose another cacheDirectory (or XDG_CACHE_HOME), or a smaller picture folder.'
  return E.left(dataError('DATA-CACHE', message, cache))
}

const noneError = ({ folder, skipped }: ScanReport): DataError => {
  const where = showPath(folder)
  if (skipped.length === 0)
    return dataError(
      'DATA-NONE',
      `No usable images in ${where}: it holds no files. Put PNG, JPEG, WebP, TIFF, AVIF or GIF files into it.`,
      folder,
    )
  const files = skipped.length === 1 ? '1 file' : `${skipped.length} files`
  const advice = mainAdvice(skipped, 2).join(' ')
  return dataError(
    'DATA-NONE',
    `No usable images in ${where}: ${files} seen: ${summariseSkipped(skipped)}. ${advice}`,
    folder,
  )
}

const checkSomething = (scan: ScanReport): E.Either<DataError, ScanReport> =>
  scan.usable.length > 0 ? E.right(scan) : E.left(noneError(scan))

const checkMemory = (
  scan: ScanReport,
  { height, width, channels, maxMemory }: Settings,
): E.Either<DataError, ScanReport> => {
  const bytes = scan.usable.length * height * width * channels
  if (bytes <= maxMemory) return E.right(scan)
  const gb = (n: number): string => `${(n / 1e9).toFixed(1)} GB`
  const message =
    `${scan.usable.length} pictures of ${height}×${width}×${channels} take ${gb(bytes)} of memory; ` +
    `the limit is ${gb(maxMemory)}. ` +
    'Use a smaller size or fewer pictures, or raise the limit (maxMemory).'
  return E.left(dataError('DATA-LARGE', message, scan.folder))
}

const recipeOf = (sharp: Sharp, root: string, scan: ScanReport, settings: Settings): PackRecipe => {
  const { height, width, channels, matte, maxPixels, maxBytes, maxEnlargement } = settings
  const decoder = `sharp ${sharp.versions.sharp ?? ''}, libvips ${sharp.versions.vips}`
  const files = scan.usable.map(({ path, bytes, mtime, ctime }) => [path, bytes, mtime, ctime] as const)
  return { folder: root, height, width, channels, matte, maxPixels, maxBytes, maxEnlargement, decoder, files }
}

const decodeFile = async (sharp: Sharp, root: string, file: ImageFile, settings: Settings): Promise<Decoded> => {
  const skip = (fault: Parameters<typeof skippedFile>[1]): Decoded => ({
    _tag: 'Skipped',
    file: skippedFile(file.path, fault),
  })
  const read = await readWhole(settings.fileSystem, pathInFolder(root, file.path), settings.maxBytes)
  if (E.isLeft(read)) return skip(read.left)
  const { bytes, ctime } = read.right
  if (bytes.length !== file.bytes || ctime !== file.ctime)
    return skip({ reason: 'changed', kind: 'file', detail: 'It was changed between the scan and the decoding.' })
  const image = await decodeImage(sharp, bytes, settings)
  return E.isLeft(image) ? skip(image.left) : { _tag: 'Pixels', name: file.path, pixels: image.right.pixels }
}

/** Four at a time: libuv's pool has four threads, and each decoder may hold a whole picture. */
const decodeConcurrency = 4

async function* decodeAll(
  sharp: Sharp,
  root: string,
  files: readonly ImageFile[],
  settings: Settings,
): AsyncGenerator<Decoded> {
  let done = 0
  for await (const decoded of orderedMap(files, decodeConcurrency, (file) => decodeFile(sharp, root, file, settings))) {
    yield decoded
    settings.onProgress?.({ phase: 'decode', done: ++done, total: files.length })
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

/** Why a pack must not be reused, if so. */
const staleReason = (found: Awaited<ReturnType<typeof openPack>>): string | undefined => {
  if (E.isLeft(found)) return found.left._tag === 'Damaged' ? `the cache was damaged: ${found.left.why}` : undefined
  const passing = found.right.manifest.skipped.filter((file) => isTransient(file.reason)).length
  return passing > 0 ? `${passing} files could not be read the last time` : undefined
}

/** Opens the pack of a recipe, making it first when there is none that can be trusted. */
const openOrBuild = async (
  sharp: Sharp,
  root: string,
  scan: ScanReport,
  settings: Settings,
): Promise<E.Either<DataError, { readonly pack: Pack; readonly cache: CacheReport }>> => {
  const { cacheDirectory } = settings
  const key = packKey(recipeOf(sharp, root, scan, settings))
  const path = join(cacheDirectory, key)
  const found = await openPack(cacheDirectory, key, settings)
  const why = staleReason(found)
  if (E.isRight(found) && why === undefined) return E.right({ pack: found.right, cache: { path, state: 'reused' } })
  try {
    await writePack(cacheDirectory, key, settings, decodeAll(sharp, root, scan.usable, settings), why !== undefined)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error // not the disk: a bug, here or in onProgress
    return E.left(cacheError(cacheDirectory, error))
  }
  const pack = await openPack(cacheDirectory, key, settings)
  if (E.isRight(pack))
    return E.right({
      pack: pack.right,
      cache: why === undefined ? { path, state: 'created' } : { path, state: 'rebuilt', why },
    })
  return E.left(
    cacheError(
      cacheDirectory,
      new Error(pack.left._tag === 'Damaged' ? `after writing, ${pack.left.why}` : 'it vanished after writing'),
    ),
  )
}

const warningsOf = (scan: ScanReport, settings: Settings, cache: CacheReport): readonly string[] => {
  const lost = scan.skipped.filter((file) => isLoss(file.reason))
  const share = lost.length / (lost.length + scan.usable.length)
  const enlarged = scan.usable.filter((file) => enlargement(file, settings) > 1).length
  return [
    ...(share > 0.2
      ? [
          `${Math.round(share * 100)} % of the files cannot be used (${summariseSkipped(lost)}): ` +
            'look at the report before training.',
        ]
      : []),
    ...(enlarged > 0
      ? [`${enlarged} pictures are smaller than ${settings.height}×${settings.width} and are enlarged.`]
      : []),
    ...(cache.why === undefined ? [] : [`All pictures were decoded again: ${cache.why}.`]),
  ]
}

const folderImageSet = (
  scan: ScanReport,
  { manifest, perBlock, blocks }: Pack,
  settings: Settings,
  cache: CacheReport,
): FolderImageSet => {
  const { height, width, channels, count, names, sha256: fingerprint } = manifest
  const decoded = new Set(names)
  const usable = scan.usable.filter((file) => decoded.has(file.path))
  const merged = scanReport(scan.folder, usable, [...scan.skipped, ...manifest.skipped], scan.ignored)
  const each = height * width * channels
  const pixels = (index: number): Uint8Array => {
    const block =
      Number.isInteger(index) && index >= 0 && index < count ? blocks[Math.floor(index / perBlock)] : undefined
    if (block === undefined) throw new RangeError(`picture ${index} does not exist: ${scan.folder} has ${count}`)
    const start = (index % perBlock) * each
    return block.subarray(start, start + each)
  }
  const report: FolderReport = { ...merged, cache, warnings: warningsOf(merged, settings, cache) }
  return { kind: 'folder', name: scan.folder, height, width, channels, count, names, fingerprint, pixels, report }
}

/**
 * Opens a folder of pictures at one size. The first time everything is decoded (four at a time); after that the packed
 * pixels are read and
 * verified, as long as no file, size, time stamp, option or decoder version has changed.
 *
 * @param folder searched with all folders below it
 * @returns the set, with the report of what was not used; otherwise `DATA-NONE` when nothing was usable, `DATA-FOLDER`,
 *   `DATA-CACHE`,
 *   `DATA-LARGE`, `DATA-OPTION` or `DATA-SHARP`
 * @example
 * ```ts
 * import { mkdir, writeFile } from 'node:fs/promises'
 * import { openImageFolder } from 'fathom/data'
 * import { encodePng } from 'fathom/io'
 *
 * await mkdir('pictures')
 * const options = { height: 1, width: 1, channels: 3, cacheDirectory: 'cache' } as const
 * await openImageFolder('pictures', options)() // => left({ code: 'DATA-NONE', … })
 * await writeFile('pictures/a.png', encodePng({ width: 1, height: 1, channels: 3, pixels: Uint8Array.of(1, 2, 3) }))
 * const opened = await openImageFolder('pictures', options)()
 * if (opened._tag === 'Left') throw new Error(opened.left.message)
 * opened.right.count // => 1
 * opened.right.pixels(0) // => [1, 2, 3]
 * ```
 */
export const openImageFolder = (folder: string, options: FolderOptions): TE.TaskEither<DataError, FolderImageSet> => {
  const settings = settingsOf(options)
  return pipe(
    TE.fromEither(checkOptions(settings)),
    TE.bind('sharp', () => loadSharp()),
    TE.bind('scan', () => scanFolder(folder, settings)),
    TE.bind('root', () => () => checkCachePlace(folder, settings)),
    TE.bind('fitting', ({ scan }) =>
      pipe(
        TE.fromEither(checkSomething(withoutTooSmall(scan, settings))),
        TE.chainEitherK((fitting) => checkMemory(fitting, settings)),
      ),
    ),
    TE.bind(
      'opened',
      ({ sharp, root, fitting }) =>
        () =>
          openOrBuild(sharp, root, fitting, settings),
    ),
    TE.map(({ fitting, opened }) => folderImageSet(fitting, opened.pack, settings, opened.cache)),
    TE.filterOrElse(
      (set) => set.count > 0,
      (set) => noneError(set.report),
    ),
  )
}
