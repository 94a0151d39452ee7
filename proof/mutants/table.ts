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

const section = (area: Area, outcomes: readonly Outcome[]): string => {
  const rows = outcomes
    .filter(({ mutant }) => mutant.area === area)
    .map((o) => `${rowStart(o.mutant)}${cell(caughtBy(o))} |`)
  return `## ${area.charAt(0).toUpperCase()}${area.slice(1)}\n\n| bug | kind | in | caught by |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`
}

/** `caught` of `all`. */
export const scoreOf = (outcomes: readonly Outcome[]): { readonly caught: number; readonly all: number } => ({
  caught: outcomes.filter(({ verdict }) => verdict.kind === 'caught').length,
  all: outcomes.length,
})

/** The page. */
export const tableOf = (outcomes: readonly Outcome[]): string => {
  const { caught, all } = scoreOf(outcomes)
  const untyped = outcomes.filter(({ typeError }) => typeError !== undefined).length
  return `<!-- Written by \`npm run mutants\`; do not edit. -->

# Planted bugs

A test suite is as good as the bugs it catches. Here ${all} single bugs were planted into the source, one at a time,
each the kind of slip that numeric code invites: a sign, a factor, an axis, an index off by one, a value gone stale, a
tie, a dtype. Against each ran the tests of the part in which it lies.

**${caught} of ${all} were caught**; the table names the test that did. ${all - untyped} of ${all} are well typed: the
compiler would have let them pass.

\`npm run mutants\` plants them again, in private copies of the source, and writes this page;
\`npm run mutants -- --only softmax\` plants those whose name, file or area holds a word. The list is data, in [proof/mutants](../../proof/mutants).

${areas.map((area) => section(area, outcomes)).join('\n')}`
}
