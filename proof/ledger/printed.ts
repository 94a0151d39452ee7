/**
 * The equations that a page prints, read from its Markdown.
 *
 * An equation is a quote of its own, `> **(6.4)** x_t = … — source`, or a row of a table whose first cell is a number in
 * bold parentheses. Anything else that looks like an equation is reported by {@link unnumbered}.
 */
import { exemptions } from './exemptions.ts'

/** An equation on a page. */
export interface Printed {
  readonly number: string
  readonly statement: string
  /** Absent where a table has no column of that name. */
  readonly source?: string
  /** Path from the repository's root. */
  readonly page: string
  /** 1-based. */
  readonly line: number
  /** The heading above, without its #; empty above the first. */
  readonly section: string
}

const label = /^\*\*\(([0-9A-Z]+\.[0-9]+)\)\*\*$/

const spaced = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()

/** The chapter whose numbers a page has; undefined for pages that have none. */
export const chapterOf = (page: string): string | undefined => {
  const chapter = /^docs\/(\d\d)-[^/]*\.md$/.exec(page)?.[1]
  if (chapter !== undefined) return String(Number(chapter))
  if (page === 'docs/adding-an-op.md') return 'A'
  return page.startsWith('docs/decisions/') ? 'D' : undefined
}

/** Lines with their numbers, those of fences marked with what follows the opening ```. */
interface Line {
  readonly text: string
  readonly line: number
  readonly fence: string | undefined
}

const linesOf = (markdown: string): readonly Line[] => {
  let fence: string | undefined
  return markdown.split(/\r?\n/).map((text, i): Line => {
    const ticks = /^ *`{3,}([^`]*)$/.exec(text)
    if (ticks === null) return { text, line: i + 1, fence }
    const inside = fence ?? (ticks[1] ?? '').trim()
    fence = fence === undefined ? (ticks[1] ?? '').trim() : undefined
    return { text: '', line: i + 1, fence: inside }
  })
}

/** Cells of a row of a table; `\|` is a stroke inside a cell. */
const cells = (row: string): readonly string[] =>
  row
    .trim()
    .replace(/^\|/, '')
    .replace(/\|$/, '')
    .split(/(?<!\\)\|/)
    .map((cell) => spaced(cell.replaceAll('\\|', '|')))

const quoted = (lines: readonly Line[], start: number): string => {
  const body: string[] = []
  for (let i = start; (lines[i]?.text ?? '').startsWith('>'); i++) body.push((lines[i]?.text ?? '').replace(/^> ?/, ''))
  return spaced(body.join(' '))
}

const fromQuote = (text: string): { readonly number: string; readonly statement: string; readonly source?: string } => {
  const [, number = '', rest = ''] = /^\*\*\(([0-9A-Z]+\.[0-9]+)\)\*\* (.*)$/.exec(text) ?? []
  if (number === '') throw new Error(`a quote must begin with the number of its equation, **(6.4)**: '${text}'`)
  const cut = rest.lastIndexOf(' — ')
  if (cut === -1) throw new Error(`(${number}) has no source: end the quote with ' — source'`)
  return { number, statement: rest.slice(0, cut), source: rest.slice(cut + 3) }
}

const fromRow = (header: readonly string[], row: readonly string[]): Pick<Printed, 'statement' | 'source'> => {
  const column = header.indexOf('source')
  const statement = row.filter((cell, i) => i > 0 && i !== column && cell !== '').join('; ')
  const source = row[column]
  return source === undefined || source === '' ? { statement } : { statement, source }
}

/** The last heading above a line, without its #. */
const sectionOf = (lines: readonly Line[], i: number): string => {
  const heading = lines.slice(0, i).findLast(({ text, fence }) => fence === undefined && /^#+ /.test(text))
  return heading?.text.replace(/^#+ /, '') ?? ''
}

/** The cells of the first row of the table that a line is in. */
const headerOf = (lines: readonly Line[], i: number): readonly string[] => {
  const above = lines.slice(0, i).findLastIndex(({ text }) => !text.startsWith('|'))
  return cells(lines[above + 1]?.text ?? '')
}

const startsQuote = (lines: readonly Line[], i: number): boolean =>
  (lines[i]?.text ?? '').startsWith('>') && !(lines[i - 1]?.text ?? '').startsWith('>')

/** All equations of a page in its order. @throws Error for a quote without number or source */
export const printed = (page: string, markdown: string): readonly Printed[] => {
  const lines = linesOf(markdown)
  return lines.flatMap(({ text, line, fence }, i): readonly Printed[] => {
    if (fence !== undefined) return []
    const where = { page, line, section: sectionOf(lines, i) }
    if (startsQuote(lines, i)) return [{ ...fromQuote(quoted(lines, i)), ...where }]
    if (!text.startsWith('|')) return []
    const row = cells(text)
    const number = label.exec(row[0] ?? '')?.[1]
    return number === undefined ? [] : [{ number, ...fromRow(headerOf(lines, i), row), ...where }]
  })
}

/** Numbers of equations that a page refers to, in prose and in the comments of its code, with their lines. */
export const references = (markdown: string): readonly { readonly number: string; readonly line: number }[] =>
  linesOf(markdown).flatMap(({ text, line, fence }) => {
    const where = fence === undefined ? text.replaceAll(/`[^`]*`/g, '') : (/\/\/ (.*)$/.exec(text)?.[1] ?? '')
    return [...where.matchAll(/\((\d{1,2}|[AD])\.(\d+)\)/g)].map((m) => ({ number: `${m[1]}.${m[2]}`, line }))
  })

const relation = /[=≈∝∼≡≤≥<>≠↦←⇒]/
const operator = /[√∏∑Σ∂∫∇⟨⟩‖⊕⌊]/
/** `T = 1000`, `η = 0`, `h = 10⁻³`: a name gets a value. Nothing that could be false. */
const value =
  /(?<![\p{L}\d₀-₉)])(?<![+\-−·/^] ?)\p{L}(?:_?[\p{L}\d₀-₉])?′? = [-−]?[\d.,]+(?:[⁻⁰¹²³⁴-⁹]+)?(?![\w(]| ?[+−·/=(])/gu
const markup = /<\/?\w[^>]*>|&\w+;|!?\[([^\]]*)\]\([^)]*\)/g

/** Prose as it reads, without code, links, values of names, and roots of numbers. */
const bare = (text: string): string =>
  text
    .replaceAll(/`[^`]*`/g, '')
    .replaceAll(markup, '$1')
    .replaceAll(value, '')
    .replaceAll(/√\d+(?![\w(·/])/g, '')

/** A comment of code may name a quantity, `‖x‖`; prose says something about it. */
const looksLikeEquation = (text: string, { fence }: Line): boolean =>
  relation.test(bare(text)) || (fence === undefined && operator.test(bare(text)))

const isNumbered = (lines: readonly Line[], i: number): boolean => {
  const text = lines[i]?.text ?? ''
  return text.startsWith('>') || label.test(cells(text)[0] ?? '')
}

/** Lines of the text fences that stand directly below a ts fence: what it prints, which the page's test compares. */
const outputs = (lines: readonly Line[]): ReadonlySet<number> => {
  const inside = new Set<number>()
  let [above, current]: readonly (string | undefined)[] = [undefined, undefined]
  for (const { text, line, fence } of lines) {
    if (fence !== current && fence !== undefined) [above, current] = [current ?? above, fence]
    else if (fence === undefined) {
      if (current !== undefined) above = current
      if (text.trim() !== '') above = undefined
      current = undefined
    }
    if (fence === 'text' && /^ts\b/.test(above ?? '')) inside.add(line)
  }
  return inside
}

/** What of a line could hold an equation: prose, drawings, and the comments of code. */
const claim = ({ text, fence }: Line): string => {
  if (fence === undefined || fence === 'text') return text
  return /^ts\b/.test(fence) ? (/\/\/ (.*)$/.exec(text)?.[1] ?? '') : ''
}

const hasReference = (text: string): boolean => /\((\d{1,2}|[AD])\.\d+\)/.test(text)

/**
 * Lines that look like an equation, have no number, refer to none, and are not exempt, as `page:line: text`. A line
 * looks like an equation when it has a relation sign or an operator of mathematics outside of code.
 */
export const unnumbered = (page: string, markdown: string): readonly string[] => {
  const lines = linesOf(markdown)
  const printedByCode = outputs(lines)
  const exempt = exemptions.filter((e) => e.page === page).map((e) => e.text)
  return lines.flatMap((line, i) => {
    const text = claim(line)
    const fine =
      printedByCode.has(line.line) ||
      isNumbered(lines, i) ||
      hasReference(text) ||
      !looksLikeEquation(text, line) ||
      exempt.some((e) => line.text.includes(e))
    return fine ? [] : [`${page}:${line.line}: ${line.text.trim()}`]
  })
}
