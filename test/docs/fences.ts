/**
 * The code of a Markdown page as a program: all its ```ts fences, in order, are one module, so that a page may build
 * on what it showed before. A ```text fence directly below a ts fence is what that fence prints.
 */

/** One ```ts fence of a page. */
export type Fence = {
  /** 1-based line of the opening ``` in the page. */
  readonly line: number
  readonly code: readonly string[]
  /** False for ```ts no-run reason="…". */
  readonly runs: boolean
  /** What the page says that the fence prints; absent where the page does not say. */
  readonly prints?: string
}

/** A fenced block of any language. */
export type Block = {
  readonly line: number
  readonly info: string
  readonly body: readonly string[]
  readonly end: number
}

const opening = /^( *)(`{3,})([^`]*)$/

/** Every fenced block of a page, with the indentation of its opening removed. */
export const blocks = (page: string, lines: readonly string[]): Block[] => {
  const found: Block[] = []
  for (let i = 0; i < lines.length; i++) {
    const open = opening.exec(lines[i] ?? '')
    if (open === null) continue
    const [, indent = '', ticks = '', info = ''] = open
    const isClosing = (line: string): boolean => /^`+$/.test(line.trim()) && line.trim().length >= ticks.length
    const end = lines.findIndex((line, j) => j > i && isClosing(line))
    if (end === -1) throw new Error(`${page}:${i + 1}: this fence is never closed`)
    const body = lines.slice(i + 1, end).map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line))
    found.push({ line: i + 1, info: info.trim(), body, end: end + 1 })
    i = end
  }
  return found
}

/** Whether the fence runs, from what follows ```ts. */
const decodeInfo = (page: string, line: number, info: string): boolean => {
  const options = info.replace(/^ts\b/, '').trim()
  if (options === '') return true
  if (/^no-run reason="[^"]+"$/.test(options)) return false
  throw new Error(
    `${page}:${line}: \`\`\`ts takes nothing, or no-run reason="why it cannot run here"; found '${options}'`,
  )
}

/**
 * The ts fences of a page.
 * @throws Error naming page and line, for a fence without end and for options other than no-run with its reason
 */
export const fences = (page: string, markdown: string): Fence[] => {
  const lines = markdown.split(/\r?\n/)
  const all = blocks(page, lines)
  return all.flatMap((block, i): Fence[] => {
    if (!/^ts(\s|$)/.test(block.info)) return []
    const next = all[i + 1]
    const below = next !== undefined && lines.slice(block.end, next.line - 1).every((line) => line.trim() === '')
    const runs = decodeInfo(page, block.line, block.info)
    const fence = { line: block.line, code: block.body, runs }
    return [below && next.info === 'text' ? { ...fence, prints: next.body.join('\n').trimEnd() } : fence]
  })
}

/**
 * The module of a page. Line n of the module is line n of the page, so that an error names the page's own line; the
 * opening line of fence k becomes `beforeFence(k)`.
 */
export const pageModule = (all: readonly Fence[], beforeFence: (index: number) => string): string => {
  const lines: string[] = []
  for (const [k, fence] of all.entries()) {
    if (!fence.runs) continue
    while (lines.length < fence.line - 1) lines.push('')
    lines.push(beforeFence(k), ...fence.code)
  }
  return `${lines.join('\n')}\nexport {}\n`
}
