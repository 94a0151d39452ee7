/**
 * An inventory of a folder of pictures: what is usable and what is not, from headers alone; nothing is decoded and
 * nothing written.
 */
import { requireKnown } from '../../prelude/options.ts'
import { join } from 'node:path'
import { E, TE, pipe } from '../../prelude/fp.ts'
import type { DataError } from './dataError.ts'
import { dataError } from './dataError.ts'
import { byteBudget, defaultBudget, type ByteBudget, type Release } from './byteBudget.ts'
import { findDuplicates } from './duplicates.node.ts'
import type { FolderReader, OpenFile } from './folderReader.node.ts'
import { errnoOf, nodeFolderReader } from './folderReader.node.ts'
import { heicInstalled } from './heic.node.ts'
import { readHeader, type ByteSource } from './imageHeader.node.ts'
import { headBytes } from './imageKind.ts'
import { defaultLimits, type Limits } from './limits.ts'
import { orderedMap } from './orderedMap.ts'
import type { ImageFile, ScanReport } from './scanReport.ts'
import { scanReport, skippedFile } from './scanReport.ts'
import type { Sharp } from './sharp.node.ts'
import { loadSharp } from './sharp.node.ts'
import { showPath } from './showPath.ts'
import type { Fault } from './skipReason.ts'
import type { FoundFile, Walk } from './walk.node.ts'
import { walkFolder } from './walk.node.ts'

/** How far along a scan is; called after every file. */
export interface ScanProgress {
  readonly phase: 'scan'
  readonly done: number
  readonly total: number
}

/** All optional. */
export interface ScanOptions extends Partial<Limits> {
  /** Follow links that leave the folder. Default false: they are reported. */
  readonly followLinks?: boolean
  /** Read HEIC. Default: where its decoder is installed. */
  readonly heic?: boolean
  /** Files looked at at the same time. Default 8. */
  readonly concurrency?: number
  /** Called after every file that was looked at. */
  readonly onProgress?: (progress: ScanProgress) => void
  readonly fileSystem?: FolderReader
}

/** What looking at a file needs. */
interface Inspection {
  readonly sharp: Sharp
  readonly fileSystem: FolderReader
  readonly limits: Limits
  readonly heic: boolean
  readonly budget: ByteBudget
}

/** The file as bytes at offsets; what is more than a head waits for its share of the budget, and keeps it. */
const withinBudget = (
  open: OpenFile,
  bytes: number,
  budget: ByteBudget,
): { readonly source: ByteSource; readonly release: () => void } => {
  const held: Release[] = []
  const read = async (offset: number, length: number): Promise<Uint8Array> => {
    if (length > headBytes) held.push(await budget(length))
    return open.read(offset, length)
  }
  return { source: { bytes, read }, release: () => held.forEach((release) => release()) }
}

const inspectOpen = async (
  { sharp, limits, heic, budget }: Inspection,
  path: string,
  open: OpenFile,
): Promise<E.Either<Fault, ImageFile>> => {
  const { bytes, mtime, ctime, kind } = await open.status()
  if (kind !== 'file')
    return E.left<Fault>({ reason: 'changed', kind: 'file', detail: `It was a file and is now a ${kind}.` })
  const { source, release } = withinBudget(open, bytes, budget)
  try {
    const header = await readHeader(sharp, source, limits, heic)
    return pipe(
      header,
      E.map(({ format, width, height, alpha }) => ({ path, format, width, height, alpha, bytes, mtime, ctime })),
    )
  } finally {
    release()
  }
}

const inspect = async (inspection: Inspection, file: FoundFile): Promise<E.Either<Fault, ImageFile>> => {
  try {
    return await inspection.fileSystem.withFile(file.real, (open) => inspectOpen(inspection, file.path, open))
  } catch (error) {
    const code = errnoOf(error)
    return E.left(
      code === 'ENOENT'
        ? { reason: 'changed', kind: 'file', detail: 'It was deleted during the scan.' }
        : { reason: 'unreadable', kind: 'file', detail: `The system refuses to read it: ${code}.` },
    )
  }
}

const folderMessages: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist: check the spelling',
  ENOTDIR: 'is a file: give the folder that holds your pictures',
  EACCES: 'may not be read: check its permissions (`ls -ld`)',
  EPERM:
    'may not be read: allow this program access to it ' +
    '(on macOS: System Settings, Privacy & Security, Files and Folders)',
  ELOOP: 'is a link that points at itself: give the real folder',
}

const folderError = (folder: string, error: unknown): DataError => {
  const code = errnoOf(error)
  return dataError(
    'DATA-FOLDER',
    `The folder ${showPath(folder)} ${folderMessages[code] ?? `cannot be listed: ${code}`}.`,
    folder,
  )
}

const optionNames = ['followLinks', 'heic', 'concurrency', 'onProgress', 'fileSystem', 'maxPixels', 'maxBytes'] as const

const inspectAll = async (sharp: Sharp, folder: string, walk: Walk, options: ScanOptions): Promise<ScanReport> => {
  const fileSystem = options.fileSystem ?? nodeFolderReader
  const { maxPixels = defaultLimits.maxPixels, maxBytes = defaultLimits.maxBytes } = options
  const heic = options.heic ?? heicInstalled()
  const inspection = { sharp, fileSystem, limits: { maxPixels, maxBytes }, heic, budget: byteBudget(defaultBudget) }
  const usable: ImageFile[] = []
  const skipped = [...walk.skipped]
  const results = orderedMap(walk.files, options.concurrency ?? 8, async (file) => ({
    file,
    result: await inspect(inspection, file),
  }))
  for await (const { file, result } of results) {
    if (E.isRight(result)) usable.push(result.right)
    else skipped.push(skippedFile(file.path, result.left))
    options.onProgress?.({
      phase: 'scan',
      done: usable.length + skipped.length - walk.skipped.length,
      total: walk.files.length,
    })
  }
  const duplicates = await findDuplicates(fileSystem, folder, usable)
  return scanReport(folder, usable, skipped, { ...walk, duplicates })
}

/**
 * Looks at every file below `folder`. Types come from the bytes, never from the names; a file that cannot be used is in
 * the report with
 * the reason and what to do, and never ends the scan. Damage inside the pixels shows only when they are decoded.
 *
 * @returns the report, also when nothing is usable; `DATA-FOLDER` when the folder cannot be listed, `DATA-SHARP`
 *   without the decoder
 * @example
 * ```ts
 * import { mkdir, writeFile } from 'node:fs/promises'
 * import { scanFolder } from 'fathom/data'
 *
 * await mkdir('pictures')
 * await writeFile('pictures/sea.jpg', 'to be taken')
 * await scanFolder('pictures')() // => right({ usable: [], skipped: [{ path: 'sea.jpg', reason: 'text', … }], … })
 * await scanFolder('pitcures')() // => left({ code: 'DATA-FOLDER', … })
 * ```
 */
export const scanFolder = (folder: string, options: ScanOptions = {}): TE.TaskEither<DataError, ScanReport> => {
  requireKnown('scanFolder', options, optionNames)
  return scan(folder, options)
}

/** The scan, by options that may say more than it asks. */
export const scan = (folder: string, options: ScanOptions): TE.TaskEither<DataError, ScanReport> =>
  pipe(
    TE.Do,
    TE.bind('sharp', () => loadSharp()),
    TE.bind('walk', () =>
      TE.tryCatch(
        () => walkFolder(options.fileSystem ?? nodeFolderReader, folder, options.followLinks ?? false),
        (error) => folderError(folder, error),
      ),
    ),
    TE.chain(({ sharp, walk }) => TE.fromTask(() => inspectAll(sharp, folder, walk, options))),
  )

/** Where a file of a report lies. */
export const pathInFolder = (folder: string, path: string): string => join(folder, ...path.split('/'))
