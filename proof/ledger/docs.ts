/** The pages of the documentation that people write, and the equations that they print. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pages, root } from '../../test/docs/pages.ts'
import { printed, type Printed } from './printed.ts'

/** Pages that commands write: they repeat equations, and have numbers of their own. */
const written = (page: string): boolean => page === 'docs/ledger.md' || page.startsWith('docs/proof/')

/** Path and text of each page. */
export const writtenPages = (): readonly (readonly [page: string, text: string])[] =>
  pages()
    .filter((page) => !written(page))
    .map((page) => [page, readFileSync(join(root, page), 'utf8')])

/** All printed equations: chapters in their order, then the other pages. */
export const printedEquations = (): readonly Printed[] => writtenPages().flatMap(([page, text]) => printed(page, text))
