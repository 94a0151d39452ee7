/**
 * Writes into pages what their code prints now: `node scripts/node24.mjs scripts/docs-update.ts docs/05-unet.md`.
 * Read the diff before you commit it: a changed output is a changed behaviour. Code runs against src/, as in the tests.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { format } from 'node:util'
import { fences, pageModule, type Fence } from '../test/docs/fences.ts'
import { modulePath, pages, root } from '../test/docs/pages.ts'

registerHooks({
  resolve: (name, context, next) => {
    const [, entry] = /^fathom(?:\/(\w+))?$/.exec(name) ?? [undefined, null]
    if (entry === null) return next(name, context)
    return next(pathToFileURL(join(root, 'src', entry ?? '', 'index.ts')).href, context)
  },
})

/** What each fence of a page prints. */
const outputs = async (page: string, all: readonly Fence[]): Promise<readonly string[]> => {
  const printed = all.map((): string[] => [])
  let current = 0
  const { log } = console
  console.log = (...values: readonly unknown[]) => void printed[current]?.push(format(...values))
  Object.assign(globalThis, { beforeFence: (index: number) => (current = index) })
  const path = modulePath('docs-update', page)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(
    path,
    pageModule(all, (k) => `beforeFence(${k})`),
  )
  await import(pathToFileURL(path).href)
  console.log = log
  return printed.map((lines) => lines.join('\n').trimEnd())
}

/** The page with the text fence below each ts fence filled anew; fences without one stay without. */
const filled = (text: string, all: readonly Fence[], printed: readonly string[]): string => {
  const lines = text.split('\n')
  const edits = all.flatMap((fence, k) =>
    fence.runs && fence.prints !== undefined ? [{ fence, now: printed[k] ?? '' }] : [],
  )
  for (const { fence, now } of edits.toReversed()) {
    const start = lines.findIndex((line, i) => i >= fence.line + fence.code.length && line === '```text')
    const end = lines.findIndex((line, i) => i > start && line === '```')
    lines.splice(start + 1, end - start - 1, ...now.split('\n'))
  }
  return lines.join('\n')
}

for (const page of process.argv.length > 2 ? process.argv.slice(2) : pages()) {
  const text = readFileSync(join(root, page), 'utf8')
  const all = fences(page, text)
  if (!all.some((fence) => fence.runs)) continue
  const now = filled(text, all, await outputs(page, all))
  if (now !== text) writeFileSync(join(root, page), now)
  console.log(`${page}: ${now === text ? 'as it was' : 'changed'}`)
}
