/** The documentation is executed: each page's code runs as one module and prints what the page says that it prints. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { format } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { type Fence, fences, pageModule } from './fences.ts'
import { modulePath, pages, root } from './pages.ts'

/** Runs the fences as one module; what each printed by console.log, by index. */
const run = async (page: string, all: readonly Fence[]): Promise<string[]> => {
  const printed: string[][] = all.map(() => [])
  let current = 0
  vi.stubGlobal('beforeFence', (index: number) => {
    current = index
  })
  const log = vi.spyOn(console, 'log').mockImplementation((...values: unknown[]) => {
    printed[current]?.push(format(...values))
  })
  const path = modulePath('docs', page)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(
    path,
    pageModule(all, (k) => `beforeFence(${k})`),
  )
  try {
    await import(/* @vite-ignore */ path)
  } finally {
    log.mockRestore()
    vi.unstubAllGlobals()
  }
  return printed.map((lines) => lines.join('\n').trimEnd())
}

describe('documentation', () => {
  it('finds the README', () => expect(pages()).toContain('README.md'))

  it.each(pages())('%s runs and prints what it says', { timeout: 120_000 }, async (page) => {
    const all = fences(page, readFileSync(join(root, page), 'utf8'))
    if (all.every((fence) => !fence.runs)) return
    const printed = await run(page, all)
    for (const [k, fence] of all.entries())
      if (fence.runs && fence.prints !== undefined)
        expect(printed[k], `what the fence at ${page}:${fence.line} prints`).toBe(fence.prints)
  })
})
