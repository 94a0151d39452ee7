/** The report of a long run as a page: what held, how often, and how near the worst came to its bound. */
import { total, type Tally } from './tally.ts'

/** One part of the proof and what it found. */
export interface Part {
  readonly title: string
  /** What a check is, and what its bound. */
  readonly explanation: string
  readonly tallies: readonly Tally[]
  /** Its subjects and what was found stand on a page of their own, which is written anew more often than this one; no second count here. */
  readonly elsewhere?: boolean
}

const grouped = <T>(items: readonly T[], by: (item: T) => string): ReadonlyMap<string, readonly T[]> => {
  const groups = new Map<string, T[]>()
  for (const item of items) groups.set(by(item), [...(groups.get(by(item)) ?? []), item])
  return groups
}

const count = (n: number): string => n.toLocaleString('en-US')

/** Two digits, or a word where the bound is equality. */
const share = (worst: number): string => (worst === 0 ? 'equal' : worst.toPrecision(2))

const summaryRow = ([suite, tallies]: readonly [string, readonly Tally[]]): string => {
  const { checks, worst, of } = total(tallies)
  const seeds = [...new Set(tallies.map((t) => t.seed))].join(', ')
  return `| ${suite} | ${count(tallies.length)} | ${count(checks)} | ${share(worst)} | ${of === '' ? '' : `\`${of}\``} | ${seeds} |`
}

const section = ({ title, explanation, tallies, elsewhere = false }: Part): string => {
  const opening = [`## ${title}`, '', explanation]
  if (elsewhere) return opening.join('\n')
  return [
    ...opening,
    '',
    '| suite | subjects | checks | worst error ÷ bound | of | seed |',
    '|---|---|---|---|---|---|',
    ...[...grouped(tallies, (t) => t.suite)].map(summaryRow),
  ].join('\n')
}

const detailRow = ([subject, tallies]: readonly [string, readonly Tally[]], suites: readonly string[]): string => {
  const cell = (suite: string): string => {
    const own = tallies.filter((t) => t.suite === suite)
    if (own.length === 0) return ''
    const { checks, worst } = total(own)
    return worst === 0 ? count(checks) : `${count(checks)} (${share(worst)})`
  }
  return `| \`${subject}\` | ${suites.map(cell).join(' | ')} |`
}

const details = ({ title, tallies }: Part): string => {
  const suites = [...new Set(tallies.map((t) => t.suite))]
  return [
    `### ${title}`,
    '',
    `| | ${suites.join(' | ')} |`,
    `|---${'|---'.repeat(suites.length)}|`,
    ...[...grouped(tallies, (t) => t.subject)].map((row) => detailRow(row, suites)),
  ].join('\n')
}

/** The page. `how` says where and with what it was made. */
export const report = (how: string, parts: readonly Part[]): string =>
  [
    '# Report of the proof',
    '',
    'Written by `npm run prove`; every check held, for the command stops at the first that does not. An error is given as a',
    'share of its bound: 1 would be at the bound, 0.01 a hundredth of it.',
    '',
    how,
    '',
    ...parts.flatMap((part) => [section(part), '']),
    '## Every subject',
    '',
    'Checks, and in brackets the worst error ÷ bound.',
    '',
    ...parts.flatMap((part) => (part.tallies.length > 1 && part.elsewhere !== true ? [details(part), ''] : [])),
  ].join('\n')
