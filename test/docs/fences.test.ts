/** What counts as code of a page, and how it becomes a module. */
import { describe, expect, it } from 'vitest'
import { fences, pageModule } from './fences.ts'

const page = (...lines: readonly string[]): string => lines.join('\n')

describe('fences', () => {
  it('takes ts fences and leaves other languages', () => {
    const found = fences('p.md', page('# t', '```ts', 'a()', '```', '```sh', 'ls', '```', '```tsx', 'no', '```'))
    expect(found).toEqual([{ line: 2, code: ['a()'], runs: true }])
  })

  it('reads a text fence directly below as what the fence prints', () => {
    const [found] = fences('p.md', page('```ts', 'a()', '```', '', '```text', '1', ' 2', '```'))
    expect(found?.prints).toBe('1\n 2')
  })

  it('does not read a text fence below prose as what the fence prints', () => {
    const [found] = fences('p.md', page('```ts', 'a()', '```', 'Elsewhere:', '```text', '1', '```'))
    expect(found).not.toHaveProperty('prints')
  })

  it('does not run no-run fences, which must say why', () => {
    expect(fences('p.md', page('```ts no-run reason="needs a GPU"', 'a()', '```'))[0]?.runs).toBe(false)
    expect(() => fences('p.md', page('', '```ts no-run', 'a()', '```'))).toThrow('p.md:2')
    expect(() => fences('p.md', page('```ts no-run reason=""', 'a()', '```'))).toThrow('reason=')
  })

  it('refuses a fence that is never closed', () => {
    expect(() => fences('p.md', page('```ts', 'a()'))).toThrow('p.md:1: this fence is never closed')
  })

  it('leaves a ts fence that is quoted inside a longer fence', () => {
    expect(fences('p.md', page('````md', '```ts', 'a()', '```', '````'))).toEqual([])
  })

  it('removes the indentation of a fence in a list', () => {
    expect(fences('p.md', page('- x', '  ```ts', '  a()', '    b()', '  ```'))[0]?.code).toEqual(['a()', '  b()'])
  })
})

describe('pageModule', () => {
  it("keeps the page's line numbers over all its fences", () => {
    const all = fences('p.md', page('# t', '```ts', 'a()', '```', 'prose', '```ts', 'b()', '```'))
    expect(
      pageModule(all, (k) => `fence(${k})`)
        .split('\n')
        .slice(0, 7),
    ).toEqual(['', 'fence(0)', 'a()', '', '', 'fence(1)', 'b()'])
  })
})
