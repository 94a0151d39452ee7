/**
 * What a scan of a folder found, as plain data, and its two printed forms: a table for a terminal, JSON for programs.
 */
import { keysOf } from '../../prelude/record.ts'
import type { IgnoredKind } from './ignoredNames.ts'
import type { ImageFormat } from './imageKind.ts'
import { formatNames } from './imageKind.ts'
import { escapeInJson, showPath, showShortPath } from './showPath.ts'
import type { Fault, SkipReason } from './skipReason.ts'
import { skipReasons } from './skipReason.ts'

/** A picture that can be read, as far as its header tells. */
export interface ImageFile {
  /** Relative to the folder, with `/` between names. */
  readonly path: string
  readonly format: ImageFormat
  /** Pixels, after the EXIF orientation. */
  readonly width: number
  readonly height: number
  readonly alpha: boolean
  readonly bytes: number
  /** Last change, milliseconds since 1970. */
  readonly mtime: number
  /** Last change that the system saw, which nobody can set; milliseconds since 1970. */
  readonly ctime: number
}

/** A file or folder that is not used. */
export interface SkippedFile {
  readonly path: string
  readonly reason: SkipReason
  /** What the bytes turned out to be: `JPEG`, `HEIC`, `text`, `folder` …; `file` when nobody could tell. */
  readonly kind: string
  /** One sentence of facts about this file. */
  readonly detail: string
  /** What to do about it. */
  readonly advice: string
}

/** Both lists are in the order of their paths' UTF-8 bytes, the same on every machine. */
export interface ScanReport {
  /** The folder as the caller named it. */
  readonly folder: string
  readonly usable: readonly ImageFile[]
  readonly skipped: readonly SkippedFile[]
  /** How many names were left out without a word: system files, thumbnails, what is in a trash, hidden folders. */
  readonly ignored: number
  readonly ignoredByKind: Readonly<Partial<Record<IgnoredKind, number>>>
  /** Folders inside that are runs of fathom, and were not searched: their sheets are no photographs. */
  readonly runs: readonly string[]
  /** Names of the same bytes, two or more to a group: each counts as often as it is there. */
  readonly duplicates: readonly (readonly string[])[]
  /** Usable pictures with an alpha channel, which will be laid over grey. */
  readonly withAlpha: number
  readonly countsByFormat: Readonly<Partial<Record<ImageFormat, number>>>
  readonly countsByReason: Readonly<Partial<Record<SkipReason, number>>>
}

/** A surrogate stands for a character above all others. */
const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit)

/** Order of the UTF-8 bytes; JavaScript's own `<` compares UTF-16 units and puts emoji before `｡`. */
export const comparePaths = (a: string, b: string): number => {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const d = rank(a.charCodeAt(i)) - rank(b.charCodeAt(i))
    if (d !== 0) return d
  }
  return a.length - b.length
}

/** Puts a fault at a path and adds the advice. */
export const skippedFile = (path: string, fault: Fault): SkippedFile => ({
  path,
  reason: fault.reason,
  kind: fault.kind,
  detail: fault.detail,
  advice: skipReasons[fault.reason].advice,
})

/** How many items have which key. */
export const countBy = <A, K extends string>(
  items: readonly A[],
  key: (item: A) => K,
): Readonly<Partial<Record<K, number>>> => {
  const counts: Partial<Record<K, number>> = {}
  for (const item of items) counts[key(item)] = (counts[key(item)] ?? 0) + 1
  return counts
}

const among = (groups: Findings['duplicates'], paths: ReadonlySet<string>): Findings['duplicates'] =>
  groups.map((group) => group.filter((path) => paths.has(path))).filter((group) => group.length > 1)

/** What a search knows before any file is looked at, and what is known of files together. */
export type Findings = Pick<ScanReport, 'ignored' | 'ignoredByKind' | 'runs' | 'duplicates'>

/** Sorts and counts. Duplicates are those among the usable. */
export const scanReport = (
  folder: string,
  usable: readonly ImageFile[],
  skipped: readonly SkippedFile[],
  { ignored, ignoredByKind, runs, duplicates }: Findings,
): ScanReport => ({
  folder,
  usable: usable.toSorted((a, b) => comparePaths(a.path, b.path)),
  skipped: skipped.toSorted((a, b) => comparePaths(a.path, b.path)),
  ignored,
  ignoredByKind,
  runs,
  duplicates: among(duplicates, new Set(usable.map((file) => file.path))),
  withAlpha: usable.filter((file) => file.alpha).length,
  countsByFormat: countBy(usable, (file) => file.format),
  countsByReason: countBy(skipped, (file) => file.reason),
})

const kindReasons = new Set<SkipReason>([
  'text',
  'web-page',
  'git-lfs-pointer',
  'heic',
  'camera-raw',
  'unsupported-image',
  'video',
  'not-an-image',
])

/** `HEIC`, `truncated JPEG`, `empty`: what one skipped file is, in a list of several. */
const summaryKind = ({ reason, kind }: SkippedFile): string => {
  if (kindReasons.has(reason)) return kind
  if (reason === 'unsupported-samples') return `${kind} of unsupported samples`
  return kind === 'file' ? skipReasons[reason].label : `${skipReasons[reason].label} ${kind}`
}

const byCount = <K extends string>(counts: Readonly<Partial<Record<K, number>>>): readonly (readonly [K, number])[] =>
  keysOf<K>(counts)
    .map((key): readonly [K, number] => [key, counts[key] ?? 0])
    .toSorted((a, b) => b[1] - a[1] || comparePaths(a[0], b[0]))

const grouped = (n: number): string => n.toLocaleString('en-US')

/**
 * `40 HEIC, 1 text`; the most frequent first.
 *
 * @example
 * ```ts
 * import { summariseSkipped } from 'fathom/data'
 *
 * const heic = { path: '1.heic', reason: 'heic', kind: 'HEIC', detail: 'An iPhone’s.', advice: 'Convert it.' } as const
 * const text = { path: 'a.txt', reason: 'text', kind: 'text', detail: 'A text.', advice: 'Nothing.' } as const
 * summariseSkipped([text, heic, heic]) // => '2 HEIC, 1 text'
 * ```
 */
export const summariseSkipped = (skipped: readonly SkippedFile[]): string =>
  byCount(countBy(skipped, summaryKind))
    .map(([kind, n]) => `${grouped(n)} ${kind}`)
    .join(', ')

/** The advice of the most frequent reasons, each once, at most `limit`. */
export const mainAdvice = (skipped: readonly SkippedFile[], limit: number): readonly string[] => {
  const reasons = byCount(countBy(skipped, (file) => file.reason)).map(([reason]) => reason)
  const advice = reasons.flatMap((reason) => skipped.find((file) => file.reason === reason)?.advice ?? [])
  return [...new Set(advice)].slice(0, limit)
}

const sizeRange = (usable: readonly ImageFile[]): string => {
  const bySize = usable.toSorted((a, b) => a.width * a.height - b.width * b.height)
  const [first, last] = [bySize[0], bySize[bySize.length - 1]]
  if (first === undefined || last === undefined) return ''
  const show = (file: ImageFile): string => `${file.width}×${file.height}`
  return show(first) === show(last) ? show(first) : `${show(first)} to ${show(last)}`
}

const skippedLines = (skipped: readonly SkippedFile[], perReason: number): readonly string[] =>
  byCount(countBy(skipped, (file) => file.reason)).flatMap(([reason, n]) => {
    const files = skipped.filter((file) => file.reason === reason)
    const shown = files
      .slice(0, perReason)
      .map((file) => `      ${showShortPath(file.path, 48).padEnd(48)}  ${file.detail}`)
    const rest = n > perReason ? [`      … and ${grouped(n - perReason)} more`] : []
    const { label, advice } = skipReasons[reason]
    return [`  ${grouped(n).padStart(7)}  ${label}`, ...shown, ...rest, `      → ${advice}`]
  })

/** `3 pictures are copies of others: a.png = b.png = c.png; d.png = e.png`; at most three groups, of three names each. */
export const duplicatesText = (duplicates: ScanReport['duplicates']): string => {
  const copies = duplicates.reduce((sum, group) => sum + group.length - 1, 0)
  const some = <A>(items: readonly A[], show: (item: A) => string, by: string): string =>
    [...items.slice(0, 3).map(show), ...(items.length > 3 ? ['…'] : [])].join(by)
  const groups = some(duplicates, (group) => some(group, (path) => showShortPath(path, 32), ' = '), '; ')
  return `${grouped(copies)} ${copies === 1 ? 'picture is a copy of another' : 'pictures are copies of others'}: ${groups}`
}

const ignoredText = (counts: ScanReport['ignoredByKind']): string =>
  byCount(counts)
    .map(([kind, n]) => `${grouped(n)} ${kind}`)
    .join(', ')

/**
 * The report as a table for a terminal: every line is free of control characters, whatever the names hold.
 *
 * @param perReason how many files to name under each reason
 * @example
 * ```ts
 * import { mkdir, writeFile } from 'node:fs/promises'
 * import { formatScan, scanFolder } from 'fathom/data'
 * import { encodePng } from 'fathom/io'
 *
 * await mkdir('pictures')
 * await writeFile('pictures/a.png', encodePng({ width: 1, height: 1, channels: 1, pixels: Uint8Array.of(0) }))
 * const scan = await scanFolder('pictures')()
 * if (scan._tag === 'Left') throw new Error(scan.left.message)
 * formatScan(scan.right).split('\n') // => ['folder   pictures', 'usable   1  (1 PNG; 1×1)', 'skipped  0']
 * ```
 */
export const formatScan = (report: ScanReport, perReason = 5): string => {
  const { usable, skipped, ignored, withAlpha } = report
  const formats = byCount(report.countsByFormat)
    .map(([format, n]) => `${grouped(n)} ${formatNames[format]}`)
    .join(', ')
  return [
    `folder   ${showPath(report.folder)}`,
    `usable   ${grouped(usable.length)}${formats === '' ? '' : `  (${formats}; ${sizeRange(usable)})`}`,
    ...(withAlpha > 0 ? [`         ${grouped(withAlpha)} with transparency`] : []),
    `skipped  ${grouped(skipped.length)}${skipped.length === 0 ? '' : `  (${summariseSkipped(skipped)})`}`,
    ...skippedLines(skipped, perReason),
    ...(report.duplicates.length > 0 ? [`double   ${duplicatesText(report.duplicates)}`] : []),
    ...report.runs.map((run) => `run      ${showPath(run)} holds a run of fathom and was not searched`),
    ...(ignored > 0 ? [`ignored  ${grouped(ignored)}  (${ignoredText(report.ignoredByKind)})`] : []),
  ].join('\n')
}

/**
 * The report as JSON, indented by two; `JSON.parse` gives the {@link ScanReport} back. As the table it is free of
 * characters that a terminal obeys.
 *
 * @example
 * ```ts
 * import { mkdir } from 'node:fs/promises'
 * import { scanFolder, scanToJson } from 'fathom/data'
 *
 * await mkdir('pictures')
 * const scan = await scanFolder('pictures')()
 * if (scan._tag === 'Left') throw new Error(scan.left.message)
 * JSON.parse(scanToJson(scan.right)) // => { folder: 'pictures', usable: [], skipped: [], … }
 * ```
 */
export const scanToJson = (report: ScanReport): string => escapeInJson(JSON.stringify(report, undefined, 2))
