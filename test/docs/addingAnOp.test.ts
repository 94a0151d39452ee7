/**
 * docs/adding-an-op.md, followed to the letter: in a copy of the tree its diffs are applied, the compiler asks for what the page says that
 * it asks for, and what comes out is proven by the suites.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { elementwiseOps } from '../../src/graph/ops.ts'
import { primitiveNames } from '../../proof/fuzz/coverage.ts'
import { diffs, patched, type Hunk } from './diffs.ts'
import { blocks, fences } from './fences.ts'
import { root } from './pages.ts'

const read = (path: string): string => readFileSync(join(root, path), 'utf8')

const page = 'docs/adding-an-op.md'
const text = read(page)
const [declaration = [], ...others] = diffs(page, text)
const ofFunction = others.findIndex(([first]) => first?.file === 'src/tensor/activations.ts')
const [rows, definition, entry] = [others.slice(0, ofFunction), others[ofFunction] ?? [], others.slice(ofFunction + 1)]

/** An error of the compiler: the file, the code, and what it misses. */
const errorsIn = (output: string): readonly string[] =>
  [...output.matchAll(/^([\w/.]+)(?:\(\d+,\d+\))?: error (TS\d+): (?:Property '(\w+)' is missing|.*)/gm)]
    .map(([, file = '', code = '', name = '']) => [file, code, name].join(' ').trim())
    .toSorted()

/** What the page prints of the compiler: a block for each time that it is asked. */
const printed = blocks(page, text.split('\n'))
  .map(({ body }) => errorsIn(body.join('\n')))
  .filter((errors) => errors.length > 0)

let copy = ''

const node = (...args: readonly string[]): string => {
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: copy, encoding: 'utf8', maxBuffer: 2 ** 26 })
  return `${stdout}${stderr}`
}

const compile = (): string => node('node_modules/@typescript/native/bin/tsc', '-p', 'tsconfig.json')

const apply = (hunks: readonly Hunk[]): void => {
  for (const hunk of hunks) {
    const path = join(copy, hunk.file)
    writeFileSync(path, patched(readFileSync(path, 'utf8'), hunk))
  }
}

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'fathom-operation-'))
  for (const part of ['src', 'proof', 'test', 'package.json', 'vitest.config.ts', 'tsconfig.json'])
    cpSync(join(root, part), join(copy, part), {
      recursive: true,
      filter: (path) => !path.startsWith(join(root, 'test/golden')),
    })
  const path = join(copy, 'tsconfig.json')
  writeFileSync(path, readFileSync(path, 'utf8').replace(/"include": \[.*\]/, '"include": ["src", "proof"]'))
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'junction')
})

afterAll(() => {
  if (copy === '') return // and not the link that the tests themselves use
  rmSync(join(copy, 'node_modules'), { force: true }) // the link, before anything follows it
  rmSync(copy, { recursive: true, force: true })
})

describe('a new operation', () => {
  it('is asked for by the compiler in the files that the page prints, and in no other', { timeout: 300_000 }, () => {
    apply(declaration)
    expect(errorsIn(compile())).toEqual(printed[0])
    expect(printed[0], 'docs/adding-an-op.md says "eight errors"').toHaveLength(8)
  })

  it('asks for a cotangent for each input, and for the entry of a function', { timeout: 300_000 }, () => {
    for (const hunks of rows) apply(hunks)
    apply(definition)
    const path = join(copy, 'src/autograd/vjp.ts')
    const rules = readFileSync(path, 'utf8')
    writeFileSync(path, rules.replace(/ log1p: .*/, ' log1p: () => [],'))
    const output = compile()
    writeFileSync(path, rules)
    expect(errorsIn(output)).toEqual([...(printed[1] ?? []), 'src/autograd/vjp.ts TS2322'].toSorted())
    const [, quoted = ''] = /the answer is `error (TS2322: [^`]*)`/.exec(text.replaceAll('\n', ' ')) ?? []
    expect(quoted).not.toBe('')
    expect(output).toContain(quoted)
  })

  it('compiles with all diffs', { timeout: 300_000 }, () => {
    for (const hunks of entry) apply(hunks)
    expect(compile()).toBe('')
  })

  it('computes what the page prints', { timeout: 120_000 }, () => {
    const fence = fences(page, text).find(({ code }) => code.some((line) => line.includes('log1p()')))
    writeFileSync(join(copy, 'page.ts'), (fence?.code ?? []).join('\n').replaceAll("'fathom'", "'./src/index.ts'"))
    expect(node('page.ts').trim().replaceAll(/ +$/gm, '')).toBe(fence?.prints)
  })

  it('is proven by every suite, and is in random programs', { timeout: 300_000 }, () => {
    writeFileSync(
      join(copy, 'prove.ts'),
      `import { drawn, primitiveNames, rarities } from './proof/fuzz/coverage.ts'
import { applies, runSuite, subjects } from './proof/suites/index.ts'
for (const suite of ['values', 'shapes', 'gradient', 'secondOrder', 'forwardOverReverse', 'adjoint', 'errors'])
  for (const [kind, name, entry] of subjects)
    if (['log1p', 'lecunTanh'].includes(name) && applies(suite, entry)) {
      const { checks, worst } = await runSuite(suite, kind, name, entry, { seed: 1, scale: 1 })
      console.log(suite, kind, name, checks > 0 && worst <= 1)
    }
console.log(rarities(primitiveNames, drawn(20, 1000).values, 10, 'random programs').join())
`,
    )
    const suites = ['values', 'shapes', 'gradient', 'secondOrder', 'forwardOverReverse', 'adjoint', 'errors']
    const subjects = ['primitives log1p', 'functions log1p', 'functions lecunTanh']
    const expected = suites
      .flatMap((suite) => subjects.map((subject) => `${suite} ${subject} true`))
      .filter((line) => line !== 'errors functions lecunTanh true') // it documents no misuse
    expect(node('prove.ts').trim().split('\n')).toEqual(expected)
  })

  it(
    'is refused with the wrong rule of the page, in the smallest case, with both derivatives',
    { timeout: 120_000 },
    () => {
      const [, wrong = ''] = /a wrong rule, `([^`]+)`/.exec(text.replaceAll('\n', ' ')) ?? []
      const path = join(copy, 'src/autograd/vjp.ts')
      const rules = readFileSync(path, 'utf8')
      writeFileSync(path, rules.replace(/ log1p: .*/, ` log1p: (g, { inputs: [x] }) => [${wrong}],`))
      writeFileSync(
        join(copy, 'refuse.ts'),
        `import { runSuite } from './proof/suites/index.ts'
import { primitives } from './proof/registry/primitives.ts'
await runSuite('gradient', 'primitives', 'log1p', primitives.log1p, { seed: 1, scale: 1 })
`,
      )
      const output = node('refuse.ts')
      writeFileSync(path, rules)
      expect(wrong).not.toBe('')
      expect(output).toMatch(/gradient of log1p: Property failed after \d+ tests/)
      expect(output).toMatch(/element \d+ .*derivative \S+, finite differences \S+/)
    },
  )

  it('is tested by what the page says is tested of it', () => {
    const titles = [...text.matchAll(/^✓ (.+) > primitives log1p: (.+)$/gm)]
    expect(titles).toHaveLength(7)
    const tests = ['values', 'shapes', 'gradients', 'adjoints', 'errors'].map((name) =>
      read(`test/proof/${name}.test.ts`),
    )
    for (const [, suite = '', claim = ''] of titles)
      expect(
        tests.some((test) => test.includes(`describe('${suite}'`) && test.includes(claim)),
        `${suite} > ${claim}`,
      ).toBe(true)
  })

  it('takes as many files and lines as the page says', () => {
    const hunks = [declaration, ...rows].flat()
    const files = new Set(hunks.map(({ file }) => file)).size
    const lines = hunks.flatMap((hunk) => hunk.lines).filter((line) => line.startsWith('+')).length
    expect(/In all, .*? lines\./.exec(text)?.[0]).toBe(`In all, ${files} files and ${lines} lines.`)
  })
})

describe('the primitives', () => {
  const cells = (markdown: string): readonly string[] =>
    markdown
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .flatMap((line) => [...line.matchAll(/`(\w+)`/g)].map(([, name = '']) => name))

  it('are as many as docs/00-tour.md says', () => {
    const [, count] = /Each line is a primitive\. There are (\d+);/.exec(read('docs/00-tour.md')) ?? []
    expect(Number(count), 'docs/00-tour.md: "There are … primitives"').toBe(primitiveNames.length)
  })

  it('are all in the table of docs/01-graph.md, and nothing else', () => {
    const [, table = ''] = /\n## The primitives\n([\s\S]*?)\n## /.exec(read('docs/01-graph.md')) ?? []
    expect(cells(table).toSorted(), 'the table "The primitives" of docs/01-graph.md').toEqual(primitiveNames.toSorted())
  })

  it('are all in the table of derivatives of docs/02-autodiff.md, but for leaves, calls, loops, comparisons and integers', () => {
    const [, table = ''] =
      /\nThis is the whole table as mathematics:\n([\s\S]*?)\n## /.exec(read('docs/02-autodiff.md')) ?? []
    const left = [
      'parameter',
      'buffer',
      'constant',
      'iota',
      'call',
      'scan',
      'less',
      'equal',
      'not',
      'and',
      'or',
      'xor',
      'shiftLeft',
      'shiftRight',
      'bitcast',
    ]
    expect([...cells(table), ...left].toSorted(), 'the table of derivatives of docs/02-autodiff.md').toEqual(
      primitiveNames.toSorted(),
    )
  })

  it('are grouped in docs/01-graph.md as they are in the source', () => {
    const rows = read('docs/01-graph.md')
      .split('\n')
      .filter((line) => line.startsWith('| elementwise'))
    expect(cells(rows.join('\n'))).toEqual([...elementwiseOps])
  })
})
