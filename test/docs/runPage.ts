/**
 * Runs the code of a page as one module, and keeps what each fence prints. Every page has a console of its own: one that goes on after it
 * has been given up (a test that ran out of time) does not write into the pages after it.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { format } from 'node:util'
import { pageModule, type Fence } from './fences.ts'
import { modulePath } from './pages.ts'

/** What the module of a page is given. */
interface Given {
  readonly beforeFence: (index: number) => void
  readonly console: Console
}

const given = new Map<string, Given>()

Object.assign(globalThis, { fathomPage: (page: string) => given.get(page) })

/** What each of the page's fences prints, by index; `load` imports the module that is written to a path. */
export const runPage = async (
  folder: string,
  page: string,
  all: readonly Fence[],
  load: (path: string) => Promise<unknown>,
): Promise<readonly string[]> => {
  const printed = all.map((): string[] => [])
  let current = 0
  const log = (...values: readonly unknown[]): void => void printed[current]?.push(format(...values))
  given.set(page, {
    beforeFence: (index) => void (current = index),
    console: Object.assign(Object.create(console) as Console, { log }),
  })
  const path = modulePath(folder, page)
  mkdirSync(dirname(path), { recursive: true })
  const first = all.findIndex((fence) => fence.runs)
  const own = `const { beforeFence, console } = fathomPage(${JSON.stringify(page)});`
  writeFileSync(
    path,
    pageModule(all, (k) => `${k === first ? own : ''}beforeFence(${k})`),
  )
  await load(path)
  return printed.map((lines) => lines.join('\n').trimEnd())
}
