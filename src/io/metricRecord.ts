/**
 * One record of a run's metrics as a line of JSON, and back.
 *
 * JSON has no NaN and no infinity, and a diverged loss must not become null: they are written as the strings "NaN",
 * "Infinity" and "-Infinity", and read back as numbers.
 */
import { E, pipe } from '../prelude/fp.ts'

/** One line: the step it belongs to, and whatever was measured. */
export type MetricRecord = { readonly step: number; readonly [name: string]: number | string | boolean | null }

const newline = 0x0a

const nonFinite: ReadonlyMap<unknown, number> = new Map([
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
])

const encodeValue = (_: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value

/** A record as a line, with its newline. */
export const metricLine = (record: MetricRecord): string => `${JSON.stringify(record, encodeValue)}\n`

const isMetricRecord = (x: unknown): x is MetricRecord =>
  typeof x === 'object' && x !== null && 'step' in x && typeof x.step === 'number'

/** The record of a line without its newline; Left where it is none. */
export const decodeLine = (line: string): E.Either<undefined, MetricRecord> =>
  pipe(
    E.tryCatch(
      () => JSON.parse(line, (_, value: unknown) => nonFinite.get(value) ?? value) as unknown,
      () => undefined,
    ),
    E.filterOrElse(isMetricRecord, () => undefined),
  )

/** The complete lines, without their newlines: a kill in mid-write leaves a last line that is no record. */
export const completeLines = (bytes: Uint8Array): readonly string[] =>
  new TextDecoder()
    .decode(bytes.subarray(0, bytes.lastIndexOf(newline) + 1))
    .split('\n')
    .slice(0, -1)

/** What could be read of a metrics file. */
export type SalvagedMetrics = {
  readonly records: readonly MetricRecord[]
  /** Complete lines that are no records: blank, zeros after a power failure, something else than fathom's. */
  readonly unreadable: number
}

/** A line with the record that it holds. */
type ReadLine = { readonly line: string; readonly record: MetricRecord }

const salvage = (lines: readonly string[]): { readonly read: readonly ReadLine[]; readonly unreadable: number } => {
  const read = lines.flatMap((line): readonly ReadLine[] => {
    const record = decodeLine(line)
    return E.isRight(record) ? [{ line, record: record.right }] : []
  })
  return { read, unreadable: lines.length - read.length }
}

/** All records that can be read, and how many lines cannot. */
export const salvaged = (lines: readonly string[]): SalvagedMetrics => {
  const { read, unreadable } = salvage(lines)
  return { records: read.map(({ record }) => record), unreadable }
}

/** Lines without the records of later steps, and without what is no record. */
export type Truncated = SalvagedMetrics & {
  /** The lines that stay, as one text; undefined where all do. */
  readonly text: string | undefined
}

/** What stays of lines when the records of later steps go. @param step the last that stays */
export const truncatedAfter = (lines: readonly string[], step: number): Truncated => {
  const { read, unreadable } = salvage(lines)
  const stay = read.filter(({ record }) => record.step <= step)
  return {
    records: stay.map(({ record }) => record),
    unreadable,
    text: stay.length === lines.length ? undefined : stay.map(({ line }) => `${line}\n`).join(''),
  }
}
