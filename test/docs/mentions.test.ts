/** What pages say of the repository holds: files, scripts and commands that they name exist, and numbers that they print are counted. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { allPasses } from '../../src/compiler/passes.ts'
import type { Kernel } from '../../src/compiler/kernel.ts'
import { parse } from '../../src/cli/parse.ts'
import { readGolden } from '../../proof/torch/golden.ts'
import { blocks } from './fences.ts'
import { pages, root } from './pages.ts'

const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const written = [...pages(), 'CONTRIBUTING.md']

/** The page without its code. */
const prose = (page: string): string => read(page).replaceAll(/^ *```[\s\S]*?^ *```/gm, '')

/** Code in a line of prose. */
const spans = (page: string): readonly string[] =>
  [...prose(page).matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span)

/** Lines to type into a shell, of blocks and of prose; comments are left out. */
const typed = (page: string): readonly string[] => [
  ...blocks(page, read(page).split('\n'))
    .filter(({ info }) => info === 'sh')
    .flatMap(({ body }) => body.map((line) => line.replace(/\s+#.*$/, '').trim())),
  ...spans(page).filter((span) => /^(?:npm|npx|node|fathom) /.test(span)),
]

const folders = ['src', 'docs', 'proof', 'test', 'bench', 'scripts', 'examples'] as const

const files: ReadonlySet<string> = new Set(
  [...folders, 'play'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true }).map((path) => basename(String(path))),
  ),
)

/** `src/{a,b}/*.ts` → the folders and files that must be there. */
const expanded = (path: string): readonly string[] => {
  const [, before = '', choices, after = ''] = /^([^{]*)\{([^}]*)\}(.*)$/.exec(path) ?? [path, path]
  if (choices !== undefined) return choices.split(',').flatMap((choice) => expanded(`${before}${choice}${after}`))
  return [path.replace(/\/[^/]*[*…].*$/, '').replace(/\/$/, '')]
}

/** The words of a line as a shell has them, some of them in quotes. */
const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/'([^']*)'|\S+/g)].map(([word, quoted]) => quoted ?? word)

const scripts = new Set(Object.keys((JSON.parse(read('package.json')) as { readonly scripts: object }).scripts))

describe('documentation', () => {
  it.each(written)('%s names files that exist', (page) => {
    const words = [...spans(page), ...typed(page)].flatMap((text) => text.split(/[\s,;()'"]+/))
    const paths = words.filter((word) => folders.some((folder) => word.startsWith(`${folder}/`)))
    for (const path of paths.flatMap(expanded))
      expect(
        [path, join('test', path)].some((p) => existsSync(join(root, p))),
        `${page} names ${path}`,
      ).toBe(true)
    const names = [...spans(page), ...[...prose(page).matchAll(/\[([\w.]+)\]\(/g)].map(([, text = '']) => text)]
    for (const name of names.filter((n) => /^[a-z]\w*(?:\.node)?\.ts$/.test(n)))
      expect(files.has(name), `${page} names ${name}`).toBe(true)
  })

  it.each(written)('%s has links whose text, where it is a file, is the file that they lead to', (page) => {
    for (const [, text = '', target = ''] of prose(page).matchAll(/\[([\w./]+\.(?:ts|mjs|md))\]\(([^()\s#]+)/g))
      expect(basename(target), `${page}: [${text}](${target})`).toBe(basename(text))
  })

  it.each(written)('%s tells to run what can be run', (page) => {
    for (const line of typed(page)) {
      const [, script] = /^npm run (?:--silent )?([\w:]+)/.exec(line) ?? []
      if (script !== undefined) expect(scripts.has(script), `${page}: ${line}`).toBe(true)
      const [, words] = /^(?:npx )?fathom (.+)$/.exec(line) ?? []
      if (words !== undefined) expect(parse(wordsOf(words)), `${page}: ${line}`).toMatchObject({ _tag: 'Right' })
    }
  })

  it.each(written)('%s does not say "today", which is another day when it is read', (page) => {
    expect(
      prose(page)
        .split('\n')
        .filter((line) => /\b(?:today|currently|at present|for now)\b/i.test(line)),
    ).toEqual([])
  })
})

/** Names of the kinds, which the compiler keeps complete. */
const kinds: { readonly [K in Kernel['kind']]: true } = {
  elementwise: true,
  reduce: true,
  gemm: true,
  conv: true,
  place: true,
  gather: true,
  scatter: true,
  sort: true,
  cumsum: true,
  rows: true,
  group: true,
  loop: true,
}

const inWords: { readonly [n: number]: string } = { 7: 'seven', 8: 'eight', 9: 'nine', 10: 'ten', 11: 'eleven', 12: 'twelve', 13: 'thirteen', 14: 'fourteen', 15: 'fifteen', 16: 'sixteen', 22: 'twenty-two' } // prettier-ignore

const selfTests = [...read('src/backends/selfTest.ts').matchAll(/\bname: '/g)].length
const { subjects: golden } = await readGolden()
const cases = golden.reduce((sum, { cases: own }) => sum + own.length, 0)

describe('numbers on pages are counted', () => {
  it.each([
    ['docs/00-tour.md', /loop for each of (\w+) kinds of kernel/, inWords[Object.keys(kinds).length]],
    ['docs/01-graph.md', /There are (\w+) kinds of kernel/, inWords[Object.keys(kinds).length]],
    ['docs/adding-an-op.md', /one of the (\w+) kernel kinds/, inWords[Object.keys(kinds).length]],
    ['docs/11-wasm.md', /([\w-]+) small programs of every family of kernels/, inWords[selfTests]],
    ['docs/10-trust.md', /PyTorch for (\d+) operations and layers/, String(golden.length)],
    ['docs/10-trust.md', /in \[(\d+) cases\]/, String(cases)],
    ['docs/proof/torch.md', /computes for (\d+) subjects/, String(golden.length)],
    ['docs/proof/torch.md', /subjects in (\d+) cases/, String(cases)],
  ])('%s: %s', (page, sentence, count) => {
    expect(sentence.exec(prose(page).replaceAll(/\s+/g, ' '))?.[1]).toBe(count)
  })

  it('docs/10-trust.md switches off every pass of the compiler', () => {
    for (const pass of Object.keys(allPasses)) expect(read('docs/10-trust.md')).toContain(`passes: { ${pass}: false`)
  })

  it('docs/01-graph.md lists the kinds of kernel', () => {
    expect(prose('docs/01-graph.md')).toContain(`: ${Object.keys(kinds).join(', ')}.`)
  })
})
