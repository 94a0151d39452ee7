/** The documentation is executed: each page's code runs as one module and prints what the page says that it prints. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { useSwiftShader } from '../../proof/webgpu.ts'
import { fences } from './fences.ts'
import { pages, root } from './pages.ts'
import { runPage } from './runPage.ts'

useSwiftShader() // for the page on GPUs

describe('documentation', () => {
  // What a page writes by a relative name lies in a folder that goes with the test.
  const folder = mkdtempSync(join(tmpdir(), 'fathom-pages-'))
  beforeAll(() => {
    process.chdir(folder)
  })
  afterAll(() => {
    process.chdir(root)
    rmSync(folder, { recursive: true })
  })

  it('finds the README', () => expect(pages()).toContain('README.md'))

  it.each(pages())('%s runs and prints what it says', { timeout: 600_000 }, async (page) => {
    const all = fences(page, readFileSync(join(root, page), 'utf8'))
    if (all.every((fence) => !fence.runs)) return
    const printed = await runPage('docs', page, all, async (path) => import(/* @vite-ignore */ path))
    for (const [k, fence] of all.entries())
      if (fence.runs && fence.prints !== undefined)
        expect(printed[k], `what the fence at ${page}:${fence.line} prints`).toBe(fence.prints)
  })
})
