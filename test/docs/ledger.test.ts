/** Every equation that a page prints has a number and a test, and docs/ledger.md lists them all. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { printedEquations, writtenPages } from '../../proof/ledger/docs.ts'
import { exemptions } from '../../proof/ledger/exemptions.ts'
import { ledger } from '../../proof/ledger/index.ts'
import { ledgerPage, withoutDigits } from '../../proof/ledger/page.ts'
import { chapterOf, printed, references, unnumbered } from '../../proof/ledger/printed.ts'
import { root } from './pages.ts'

const equations = printedEquations()
const numbers = equations.map(({ number }) => number)
const entryOf = (number: string) => ledger.find((entry) => entry.number === number)

describe('printed equations', () => {
  it.each(writtenPages().map(([page]) => page))('%s prints no equation without a number', (page) => {
    const text = readFileSync(join(root, page), 'utf8')
    expect(unnumbered(page, text)).toEqual([])
  })

  it('are counted from 1 in each chapter, in the order of its pages', () => {
    const chapters = new Map<string, string[]>()
    for (const { number, page } of equations) {
      const chapter = chapterOf(page) ?? `no chapter for ${page}`
      chapters.set(chapter, [...(chapters.get(chapter) ?? []), number])
    }
    for (const [chapter, own] of chapters) expect(own).toEqual(own.map((_, i) => `${chapter}.${i + 1}`))
  })

  it('have exactly one test each, and no test is without its equation', () => {
    expect(ledger.map(({ number }) => number).toSorted()).toEqual(numbers.toSorted())
  })

  it.each(equations.map((equation) => [equation.number, equation] as const))(
    '(%s) is printed as it is tested, and with the same source',
    (number, { statement, source }) => {
      const entry = entryOf(number)
      expect(statement).toBe(entry?.statement)
      if (source !== undefined) expect(source).toBe(entry?.source)
    },
  )

  it('are what references refer to', () => {
    for (const [page, text] of writtenPages())
      for (const { number, line } of references(text)) expect(numbers, `${page}:${line}`).toContain(number)
  })

  it('are all listed in docs/ledger.md (write it anew with proof/ledger.ts)', () => {
    const page = readFileSync(join(root, 'docs', 'ledger.md'), 'utf8')
    const rows = page.split('\n').filter((line) => line.startsWith('| [('))
    expect(rows).toHaveLength(equations.length)
    const expected = ledgerPage(
      equations.map((equation) => {
        const entry = entryOf(equation.number)
        if (entry === undefined) throw new Error(`(${equation.number}) has no test`)
        return { printed: equation, equation: entry, outcome: { checks: 0, error: 0, tolerance: 0 } }
      }),
    )
    const stable = (text: string): string => withoutDigits(text).replaceAll(/\| tested: [^|]*\|/g, '|')
    expect(stable(page)).toBe(stable(expected))
  })

  it('have exemptions that are used, each by one line', () => {
    for (const { page, text } of exemptions) {
      const lines = readFileSync(join(root, page), 'utf8').split('\n')
      expect(
        lines.filter((line) => line.includes(text)),
        `${page}: ${text}`,
      ).toHaveLength(1)
    }
  })
})

describe('the reading of pages', () => {
  const page = (...lines: readonly string[]): string => lines.join('\n')

  it('takes a quote with its number and its source, over several lines', () => {
    expect(printed('p.md', page('# T', '', '> **(6.4)** x = √a', '> + b — Ho 2020,', '> eq. 4', '', 'prose'))).toEqual([
      { number: '6.4', statement: 'x = √a + b', source: 'Ho 2020, eq. 4', page: 'p.md', line: 3, section: 'T' },
    ])
  })

  it('takes a row of a table that begins with a number, and its source from the column of that name', () => {
    const table = page('| | name | formula | source |', '|---|---|---|---|', '| **(4.2)** | `l1` | \\|d\\| | Huber |')
    expect(printed('p.md', table)).toEqual([
      { number: '4.2', statement: '`l1`; |d|', source: 'Huber', page: 'p.md', line: 3, section: '' },
    ])
  })

  it('refuses a quote without a number, and an equation without a source', () => {
    expect(() => printed('p.md', '> x = 1')).toThrow('must begin with the number')
    expect(() => printed('p.md', '> **(1.1)** x = y')).toThrow('(1.1) has no source')
  })

  it.each(['so a² + s² = 1 holds', 'the norm ‖x‖ of it', 'where x_t ∝ ᾱ_t', '√(1 − ᾱ_t) of it', '| x | y = 2x |'])(
    'finds an equation in %s',
    (line) => expect(unnumbered('p.md', line)).toHaveLength(1),
  )

  it('finds an equation in a comment of code, and in a drawing', () => {
    expect(unnumbered('p.md', page('```ts', 'f() // y = 2x', '```'))).toEqual(['p.md:2: f() // y = 2x'])
    expect(unnumbered('p.md', page('prose', '```text', 'y = 2x', '```'))).toHaveLength(1)
  })

  it.each([
    'with η = 0 and T = 1000, s = 0.008',
    'the code `a = b` and [a link](x.md#a=b)',
    'as (6.4) says, x = y',
    'a slope of √5:',
  ])('finds none in %s', (line) => expect(unnumbered('p.md', line)).toEqual([]))

  it('leaves what code prints, and code itself', () => {
    expect(unnumbered('p.md', page('```ts', 'const y = 2 * x', '```', '', '```text', 'y = 2', '```'))).toEqual([])
  })

  it('finds references in prose and comments, not in code', () => {
    const text = page('by (6.4) and `(1.2)`', '```ts', 'f(3.4) // (2.1)', '```')
    expect(references(text).map(({ number }) => number)).toEqual(['6.4', '2.1'])
  })
})
