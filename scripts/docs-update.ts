/**
 * Writes into pages what their code prints now: `node scripts/node24.mjs scripts/docs-update.ts docs/05-unet.md`.
 * Read the diff before you commit it: a changed output is a changed behaviour. Code runs against src/, as in the tests.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { fences, type Fence } from '../test/docs/fences.ts'
import { pages, root } from '../test/docs/pages.ts'
import { runPage } from '../test/docs/runPage.ts'
import { useSwiftShader } from '../proof/webgpu.ts'
import './sources.mjs'

useSwiftShader() // for the page on GPUs

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
  const printed = await runPage('docs-update', page, all, async (path) => import(pathToFileURL(path).href))
  const now = filled(text, all, printed)
  if (now !== text) writeFileSync(join(root, page), now)
  console.log(`${page}: ${now === text ? 'as it was' : 'changed'}`)
}
