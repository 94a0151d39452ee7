/** The table of the mutation proof as a page: each bug, where it is planted, and the test that catches it. */
import { areas, type Area, type Mutant } from './mutant.ts'
import type { Outcome } from './verdict.ts'

/** A cell of a table in Markdown: no pipe ends it, no line breaks it. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ')

const caughtBy = ({ verdict, typeError }: Outcome): string => {
  const compiler = typeError === undefined ? '' : ' (the compiler objects too)'
  switch (verdict.kind) {
    case 'caught':
      return `\`${verdict.file.replace(/^test\//, '')}\`: ${verdict.title}${compiler}`
    case 'survived':
      return '**nothing**'
    case 'error':
      return `**the run failed**: ${verdict.message}`
  }
}

/** The beginning of a mutant's row, up to the test that catches it. */
export const rowStart = ({ name, kind, file }: Mutant): string =>
  `| ${cell(name)} | ${kind} | \`${file.replace(/^src\//, '')}\` | `

/** The row of a mutant: as it was tried. */
const rowOf = (outcome: Outcome): string => `${rowStart(outcome.mutant)}${cell(caughtBy(outcome))} |`

/** The row that a page has for a mutant; undefined where it has none. */
export const rowOn = (page: string, mutant: Mutant): string | undefined => {
  const start = rowStart(mutant)
  return page.split('\n').find((line) => line.startsWith(start))
}

const section = (area: Area, list: readonly Mutant[], row: (mutant: Mutant) => string): string =>
  `## ${area.charAt(0).toUpperCase()}${area.slice(1)}\n\n| bug | kind | in | caught by |\n| --- | --- | --- | --- |\n${list
    .filter((mutant) => mutant.area === area)
    .map(row)
    .join('\n')}\n`

/** `caught` of `all`. */
export const scoreOf = (outcomes: readonly Outcome[]): { readonly caught: number; readonly all: number } => ({
  caught: outcomes.filter(({ verdict }) => verdict.kind === 'caught').length,
  all: outcomes.length,
})

/**
 * The page of all mutants: those that were tried, and of the others the rows that it has had.
 *
 * @param before the page as it was
 * @throws Error for a mutant that was neither tried nor has a row
 */
export const tableOf = (list: readonly Mutant[], outcomes: readonly Outcome[], before = ''): string => {
  const tried = new Map(outcomes.map((outcome) => [outcome.mutant, rowOf(outcome)]))
  const row = (mutant: Mutant): string => {
    const found = tried.get(mutant) ?? rowOn(before, mutant)
    if (found === undefined) throw new Error(`mutants: '${mutant.name}' was not tried, and the page has no row of it`)
    return found
  }
  const rows = list.map(row)
  const all = rows.length
  const caught = rows.filter((text) => !/\| \*\*(?:nothing|the run failed)/u.test(text)).length
  const untyped = rows.filter((text) => text.endsWith(' (the compiler objects too) |')).length
  return `<!-- Written by \`npm run mutants\`; do not edit. -->

# Planted bugs

A test suite is as good as the bugs it catches. Here ${all} single bugs were planted into the source, one at a time,
each the kind of slip that numeric code invites: a sign, a factor, an axis, an index off by one, a value gone stale, a
tie, a dtype. Against each ran the tests of the part in which it lies.

**${caught} of ${all} were caught**; the table names the test that did. ${all - untyped} of ${all} are well typed: the
compiler would have let them pass.

\`npm run mutants\` plants them again, in private copies of the source, and writes this page;
\`npm run mutants -- --only softmax\` plants those whose name, file or area holds a word, \`npm run mutants -- --missing\` those that have no row here. The list is data, in [proof/mutants](../../proof/mutants).

${areas.map((area) => section(area, list, row)).join('\n')}`
}
