/**
 * The numbers of a run, one JSON object a line, appended as training goes (`metrics.jsonl`).
 *
 * A kill in mid-write leaves a last line without its newline; it is not a record, and the next append removes it.
 */
import type { FileHandle } from 'node:fs/promises'
import { E, pipe, TE } from '../prelude/fp.ts'
import { isMissing, type FileSystemError } from './fileSystem.ts'
import { attempt, nodeFileSystem, withFile } from './fileSystem.node.ts'
import {
  completeLines,
  decodeLine,
  metricLine,
  salvaged,
  truncatedAfter,
  type MetricRecord,
  type SalvagedMetrics,
} from './metricRecord.ts'
import { replaceFile } from './replaceFile.node.ts'

/** A complete line of a metrics file is not a record: something else than fathom wrote there, or the disk is bad. */
export type MetricsError = {
  readonly _tag: 'MetricsError'
  readonly path: string
  readonly line: number
  readonly message: string
}

const newline = 0x0a

/** Cuts what follows the last newline, searching backwards in blocks. */
const cutTornLine = async (file: FileHandle, size: number): Promise<void> => {
  const block = new Uint8Array(4096)
  let end = size
  while (end > 0) {
    const start = Math.max(0, end - block.length)
    const { bytesRead } = await file.read(block, 0, end - start, start)
    const last = block.subarray(0, bytesRead).lastIndexOf(newline)
    if (last >= 0) return file.truncate(start + last + 1)
    end = start
  }
  return file.truncate(0)
}

const appendTo = async (file: FileHandle, line: string): Promise<void> => {
  const { size } = await file.stat()
  if (size > 0) {
    const { buffer: last } = await file.read(new Uint8Array(1), 0, 1, size - 1)
    if (last[0] !== newline) await cutTornLine(file, size)
  }
  await file.appendFile(line)
}

/** Appends a line to a file of lines, as {@link appendMetric} does. @param line with its newline */
export const appendLine = (path: string, line: string): TE.TaskEither<FileSystemError, void> =>
  attempt('append to', path, () => withFile(path, 'a+', (file) => appendTo(file, line)))

/**
 * Appends one record; makes the file when it is not there. Not synced: after a power failure the last lines may be
 * missing.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { appendMetric } from 'fathom/io'
 *
 * await appendMetric('metrics.jsonl', { step: 1, loss: 0.5 })() // => right(undefined)
 * await appendMetric('metrics.jsonl', { step: 2, loss: NaN })() // => right(undefined)
 * await readFile('metrics.jsonl', 'utf8') // => '{"step":1,"loss":0.5}\n{"step":2,"loss":"NaN"}\n'
 * ```
 */
export const appendMetric = (path: string, record: MetricRecord): TE.TaskEither<FileSystemError, void> =>
  appendLine(path, metricLine(record))

/** The complete lines, without their newlines; none when the file is not there yet. */
const readLines = (path: string): TE.TaskEither<FileSystemError, readonly string[]> =>
  pipe(
    nodeFileSystem.readFile(path),
    TE.map(completeLines),
    TE.orElse((error) => (isMissing(error) ? TE.right<FileSystemError, readonly string[]>([]) : TE.left(error))),
  )

const decodeLines = (path: string, lines: readonly string[]): E.Either<MetricsError, readonly MetricRecord[]> =>
  pipe(
    lines,
    E.traverseArray((line) => decodeLine(line)),
    E.mapLeft(() => {
      const index = lines.findIndex((line) => E.isLeft(decodeLine(line)))
      const message = `${path}, line ${index + 1} is not a JSON object with a step: repair or remove that line`
      return { _tag: 'MetricsError', path, line: index + 1, message }
    }),
  )

/**
 * All records in the order of the file; a torn last line is left out, and a file that is not there has none.
 *
 * @returns Left with a `MetricsError` for a complete line that is not a record
 * @example
 * ```ts
 * import { appendMetric, readMetrics } from 'fathom/io'
 *
 * await readMetrics('metrics.jsonl')() // => right([])
 * await appendMetric('metrics.jsonl', { step: 1, loss: NaN })()
 * await readMetrics('metrics.jsonl')() // => right([{ step: 1, loss: NaN }])
 * ```
 */
export const readMetrics = (path: string): TE.TaskEither<FileSystemError | MetricsError, readonly MetricRecord[]> =>
  pipe(
    readLines(path),
    TE.chainEitherKW((lines) => decodeLines(path, lines)),
  )

/**
 * All records that can be read, and how many lines cannot: what a run goes on with, where {@link readMetrics} is strict.
 *
 * @example
 * ```ts
 * import { writeFile } from 'node:fs/promises'
 * import { salvageMetrics } from 'fathom/io'
 *
 * await writeFile('metrics.jsonl', '{"step":1}\n\n{"step":2}\n')
 * await salvageMetrics('metrics.jsonl')() // => right({ records: [{ step: 1 }, { step: 2 }], unreadable: 1 })
 * ```
 */
export const salvageMetrics = (path: string): TE.TaskEither<FileSystemError, SalvagedMetrics> =>
  pipe(readLines(path), TE.map(salvaged))

/**
 * Removes the records of later steps, so that a run that resumes from `step` writes each step once, and lines that are no records.
 * Atomic: the old file or the new one; nothing is written where nothing is to be removed.
 *
 * @param step the last step that stays
 * @returns the records that stay, and how many lines were not readable
 * @example
 * ```ts
 * import { appendMetric, readMetrics, truncateMetricsAfter } from 'fathom/io'
 *
 * for (const step of [1, 2, 3]) await appendMetric('metrics.jsonl', { step })()
 * await truncateMetricsAfter('metrics.jsonl', 2)() // => right({ records: [{ step: 1 }, { step: 2 }], unreadable: 0 })
 * await readMetrics('metrics.jsonl')() // => right([{ step: 1 }, { step: 2 }])
 * ```
 */
export const truncateMetricsAfter = (path: string, step: number): TE.TaskEither<FileSystemError, SalvagedMetrics> =>
  pipe(
    readLines(path),
    TE.map((lines) => truncatedAfter(lines, step)),
    TE.chainFirst(({ text }) =>
      text === undefined ? TE.right(undefined) : replaceFile(path, new TextEncoder().encode(text)),
    ),
    TE.map(({ records, unreadable }) => ({ records, unreadable })),
  )
