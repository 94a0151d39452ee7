/**
 * A folder of photographs as an {@link ImageSet}: scan, decode once into a packed cache, open the cache.
 *
 * Nothing is ever written into the user's folder.
 */
import { requireKnown } from '../../prelude/options.ts'
import { realpath } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { E, TE, pipe } from '../../prelude/fp.ts'
import { userCache } from '../../prelude/userCache.node.ts'
import type { ImageSet } from '../imageSet.ts'
import type { DataError } from './dataError.ts'
import { dataError } from './dataError.ts'
import { nodeFolderReader } from './folderReader.node.ts'
import type { FolderReader } from './folderReader.node.ts'
import { defaultLimits } from './limits.ts'
import { decodeOptions, defaultTimeout, type DecodeOptions } from './decodeOptions.ts'
import type { CacheReport } from './cacheReport.ts'
import { openFolderPack, type PackSettings } from './folderPack.node.ts'
import { checkOptions } from './checkOptions.ts'
import type { Pack } from './packedCache.node.ts'
import type { ScanOptions, ScanProgress } from './scanFolder.node.ts'
import { scan } from './scanFolder.node.ts'
import type { ImageFile, ScanReport } from './scanReport.ts'
import { duplicatesText, mainAdvice, scanReport, skippedFile, summariseSkipped } from './scanReport.ts'
import { loadSharp } from './sharp.node.ts'
import { showPath } from './showPath.ts'
import { isLoss } from './skipReason.ts'

/** How far along opening is; called after every file. */
export type FolderProgress = ScanProgress | { readonly phase: 'decode'; readonly done: number; readonly total: number }

/** Size and channels are needed, all else is optional. */
export interface FolderOptions extends DecodeOptions, Pick<ScanOptions, 'followLinks' | 'heic'> {
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
  readonly fileSystem?: FolderReader
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

const optionNames = [
  ...decodeOptions,
  'followLinks',
  'heic',
  'cacheDirectory',
  'maxEnlargement',
  'maxMemory',
  'onProgress',
  'fileSystem',
] as const

type Settings = PackSettings & Required<Pick<FolderOptions, 'maxMemory'>> & Pick<FolderOptions, 'onProgress' | 'heic'>

const settingsOf = (options: FolderOptions): Settings => ({
  ...defaultLimits,
  matte: 128,
  timeoutSeconds: defaultTimeout,
  followLinks: false,
  maxEnlargement: 2,
  maxMemory: totalmem() / 2,
  fileSystem: nodeFolderReader,
  ...options,
  onDecoded: (done, total) => options.onProgress?.({ phase: 'decode', done, total }),
  cacheDirectory: resolve(options.cacheDirectory ?? userCache('images')),
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
  return scanReport(scan.folder, kept ?? [], [...scan.skipped, ...skipped], scan)
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

const noneError = ({ folder, skipped, runs }: ScanReport): DataError => {
  const where = showPath(folder)
  if (skipped.length === 0) {
    const seen = runs.length === 0 ? 'no files' : `no files beside ${runs.length === 1 ? 'a run' : 'runs'} of fathom`
    return dataError(
      'DATA-NONE',
      `No usable images in ${where}: it holds ${seen}. Put PNG, JPEG, HEIC, WebP, TIFF, AVIF or GIF files into it.`,
      folder,
    )
  }
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
    ...(cache.state === 'rebuilt' && cache.why !== undefined ? [`All pictures were decoded again: ${cache.why}.`] : []),
    ...(scan.duplicates.length > 0
      ? [`${duplicatesText(scan.duplicates)}. Each counts as often as it is there: delete the copies.`]
      : []),
    ...scan.runs.map(
      (run) =>
        `${showPath(run)} inside the picture folder is a run of fathom: it was not searched, its sheets are no ` +
        'photographs. Keep runs elsewhere (--out).',
    ),
  ]
}

const folderImageSet = (
  scan: ScanReport,
  { manifest, pictureAt }: Pack,
  settings: Settings,
  cache: CacheReport,
): FolderImageSet => {
  const { height, width, channels, count, names, sha256: fingerprint } = manifest
  const decoded = new Set(names)
  const usable = scan.usable.filter((file) => decoded.has(file.path))
  const skipped = [...scan.skipped, ...manifest.skipped]
  const merged = scanReport(scan.folder, usable, skipped, { ...scan, duplicates: manifest.duplicates })
  const pixels = (index: number): Uint8Array => {
    const picture = pictureAt(index)
    if (picture === undefined) throw new RangeError(`picture ${index} does not exist: ${scan.folder} has ${count}`)
    return picture
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
  requireKnown('openImageFolder', options, optionNames)
  const settings = settingsOf(options)
  return pipe(
    TE.fromEither(checkOptions(settings)),
    TE.bind('sharp', () => loadSharp()),
    TE.bind('scan', () => scan(folder, settings)),
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
          openFolderPack(sharp, root, fitting, settings),
    ),
    TE.map(({ fitting, opened }) => folderImageSet(fitting, opened.pack, settings, opened.cache)),
    TE.filterOrElse(
      (set) => set.count > 0,
      (set) => noneError(set.report),
    ),
  )
}
