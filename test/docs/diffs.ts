/**
 * The ```diff fences of a page, and what they make of a file. A hunk begins with `@@ path @@`; its lines are context, `-` and `+`, and must
 * fit at one place of the file. `…` stands for any text within a line, which a `+` line takes over from the `-` lines, in order.
 */
import { blocks } from './fences.ts'

/** Lines to find in a file, and what stands there afterwards. */
export interface Hunk {
  /** Where it is on the page: `docs/p.md:12`. */
  readonly at: string
  readonly file: string
  readonly lines: readonly string[]
}

const header = /^@@ (\S+) @@$/

/** The hunks of each ```diff fence of a page, in order. @throws Error naming page and line, for a fence that begins without a header */
export const diffs = (page: string, markdown: string): readonly (readonly Hunk[])[] =>
  blocks(page, markdown.split(/\r?\n/))
    .filter(({ info }) => info === 'diff')
    .map(({ line, body }) => {
      const starts = [...body.keys()].filter((i) => header.test(body[i] ?? ''))
      if (starts[0] !== 0) throw new Error(`${page}:${line}: a diff begins with the file that it changes, '@@ path @@'`)
      return starts.map((start, k) => ({
        at: `${page}:${line + 1 + start}`,
        file: header.exec(body[start] ?? '')?.[1] ?? '',
        lines: body.slice(start + 1, starts[k + 1] ?? body.length),
      }))
    })

const literally = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)

const pattern = (line: string): RegExp => new RegExp(`^${line.split('…').map(literally).join('(.*?)')}$`)

const isAdded = (line: string): boolean => line.startsWith('+')
const content = (line: string): string => line.slice(1)

/** The file's text with the hunk in it. @throws Error naming the page's line, unless the hunk fits at exactly one place */
export const patched = (text: string, { at, file, lines }: Hunk): string => {
  const source = text.split('\n')
  const sought = lines.filter((line) => !isAdded(line)).map((line) => pattern(content(line)))
  const places = [...source.keys()].filter((i) => sought.every((line, k) => line.test(source[i + k] ?? '')))
  const [place] = places
  if (place === undefined || places.length > 1)
    throw new Error(`${at}: the lines of this diff are ${places.length} times in ${file}, and must be there once`)
  const taken = lines
    .filter((line) => !isAdded(line))
    .flatMap((line, k) => (line.startsWith('-') ? (sought[k]?.exec(source[place + k] ?? '')?.slice(1) ?? []) : []))
  let [next, used] = [place, 0]
  const after = lines.flatMap((line) => {
    if (isAdded(line)) return [content(line).replaceAll('…', () => taken[used++] ?? '')]
    next++
    return line.startsWith('-') ? [] : [source[next - 1] ?? '']
  })
  return [...source.slice(0, place), ...after, ...source.slice(place + sought.length)].join('\n')
}
