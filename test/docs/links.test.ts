/** What the documentation points at exists: links, pictures, anchors of pages, and source lines that a page quotes. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pages, root } from './pages.ts'

const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** The page without its code, in which brackets mean something else. */
const prose = (page: string): string => read(page).replaceAll(/^```[\s\S]*?^```/gm, '')

/** Targets of links and pictures, without those of the web. */
const targets = (page: string): readonly string[] =>
  [...prose(page).matchAll(/\]\(([^()\s]+)\)/g)].map((m) => m[1] ?? '').filter((to) => !/^[a-z]+:/.test(to))

/** The anchor that GitHub gives to a heading. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s-]/gu, '')
    .trim()
    .replaceAll(' ', '-')

const anchors = (page: string): readonly string[] =>
  [...prose(page).matchAll(/^#+ (.+)$/gm)].map((m) => anchor(m[1] ?? ''))

/** The code of fences that claim to be lines of a source file, with the file. */
const quotations = (page: string): readonly { readonly file: string; readonly line: string }[] =>
  [...read(page).matchAll(/^```ts no-run reason="(?:a line|lines) of (\S+)"\n([\s\S]*?)^```/gm)].flatMap((m) =>
    (m[2] ?? '')
      .split('\n')
      .map((line) => line.replace(/ +\/\/.*$/, '').trim())
      .filter((line) => line !== '')
      .map((line) => ({ file: m[1] ?? '', line })),
  )

const unwrapped = (text: string): string => text.replaceAll(/\s+/g, ' ')

describe('documentation', () => {
  it.each([...pages(), 'CONTRIBUTING.md'])('%s links to files and headings that exist', (page) => {
    for (const target of targets(page)) {
      const [path = '', heading] = target.split('#')
      const file = path === '' ? page : join(dirname(page), path)
      expect(existsSync(join(root, file)), `${page} links to ${target}`).toBe(true)
      if (heading !== undefined) expect(anchors(file), `${page} links to ${target}`).toContain(heading)
    }
  })

  it.each(pages())('%s quotes source as it is', (page) => {
    for (const { file, line } of quotations(page))
      expect(unwrapped(read(file)), `${page} quotes ${file}`).toContain(unwrapped(line))
  })

  it('has pictures below 150 kB, so that a checkout stays small', () => {
    const pictures = pages().flatMap((page) =>
      targets(page)
        .filter((to) => to.endsWith('.png'))
        .map((to) => join(dirname(page), to)),
    )
    expect(pictures.length).toBeGreaterThan(0)
    for (const picture of new Set(pictures)) expect(statSync(join(root, picture)).size, picture).toBeLessThan(150_000)
  })
})
