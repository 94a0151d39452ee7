/** The page docs/ledger.md: every printed equation with its source, its test, and what the test found. */
import type { Equation, Outcome } from './equation.ts'
import { chapterOf, type Printed } from './printed.ts'

/** An equation as printed, its entry, and what the check found. */
export interface Line {
  readonly printed: Printed
  readonly equation: Equation
  readonly outcome: Outcome
}

/** The anchor that GitHub gives to a heading. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s-]/gu, '')
    .trim()
    .replaceAll(' ', '-')

const cell = (text: string): string => text.replaceAll('|', '\\|')

/** `3e-16`: one digit, as more would differ from machine to machine. */
const digit = (x: number): string => (x === 0 ? '0' : x.toExponential(0))

const state = ({ checks, error, tolerance }: Outcome): string =>
  `tested: ${checks} numbers, ${tolerance === 0 ? 'equal' : `error ${digit(error)} ≤ ${digit(tolerance)}`}`

const row = ({ printed, equation, outcome }: Line): string => {
  const path = printed.page.replace(/^docs\//, '')
  const link = `[(${printed.number})](${path}#${anchor(printed.section)})`
  return `| ${[link, printed.statement, equation.source, equation.by, state(outcome)].map(cell).join(' | ')} |`
}

/** The part of the page that a machine cannot change: errors are left out. For the test that the page is up to date. */
export const withoutDigits = (page: string): string => page.replaceAll(/error \S+ ≤/g, 'error ≤')

/** The headings by page, in the order of the lines. */
const titles: { readonly [page: string]: string } = { A: 'Adding an operation', D: 'Decisions' }

const chapters = (lines: readonly Line[]): readonly (readonly [title: string, lines: readonly Line[]])[] => {
  const names = [...new Set(lines.map(({ printed }) => chapterOf(printed.page) ?? ''))]
  return names.map((name) => [
    titles[name] ?? `Chapter ${name}`,
    lines.filter(({ printed }) => chapterOf(printed.page) === name),
  ])
}

/** The whole page. */
export const ledgerPage = (lines: readonly Line[]): string =>
  [
    '# The ledger of formulas',
    '',
    'Every equation that these pages print, with its source and the numeric test that names it. The tests are in',
    '[proof/ledger](../proof/ledger); each compares what the source computes with the printed equation, evaluated on its',
    'own in plain numbers. `npm test` runs them, and fails for an equation without a number, a number without a test, and',
    'a test whose equation is printed differently. Errors are relative to the larger of 1 and the expected number.',
    '',
    'This page is written by `node scripts/node24.mjs proof/ledger.ts`.',
    '',
    `**${lines.length} equations, ${lines.length} tested.**`,
    ...chapters(lines).flatMap(([title, own]) => [
      '',
      `## ${title}`,
      '',
      '| number | equation | source | test | state |',
      '|---|---|---|---|---|',
      ...own.map(row),
    ]),
    '',
  ].join('\n')
