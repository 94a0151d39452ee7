/** Which Markdown pages hold code that must run: the README and everything under docs/. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's folder. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Paths of the pages from the root, with forward slashes, sorted. */
export const pages = (): string[] => {
  const docs = existsSync(join(root, 'docs')) ? readdirSync(join(root, 'docs'), { recursive: true }) : []
  const found = docs.map((path) => `docs/${String(path).replaceAll('\\', '/')}`).filter((path) => path.endsWith('.md'))
  return [...(existsSync(join(root, 'README.md')) ? ['README.md'] : []), ...found.toSorted()]
}

/** Where the module of a page is written: under the ignored .cache/, inside the root so that 'fathom' resolves to src/. */
export const modulePath = (folder: string, page: string): string =>
  join(root, '.cache', folder, `${page.replace(/\.md$/, '').replaceAll('/', '-')}.ts`)
