/** How the diffs of a page are read and applied. */
import { describe, expect, it } from 'vitest'
import { diffs, patched, type Hunk } from './diffs.ts'

const hunk = (...lines: readonly string[]): Hunk => ({ at: 'p.md:1', file: 'f.ts', lines })

describe('diffs', () => {
  it('are read by fence and by hunk, each with its place on the page', () => {
    const page = ['# t', '```diff', '@@ a.ts @@', ' x', '+y', '@@ b.ts @@', '-z', '```', '```ts', 'f()', '```'].join(
      '\n',
    )
    expect(diffs('p.md', page)).toEqual([
      [
        { at: 'p.md:3', file: 'a.ts', lines: [' x', '+y'] },
        { at: 'p.md:6', file: 'b.ts', lines: ['-z'] },
      ],
    ])
  })

  it('say which file they change', () => {
    expect(() => diffs('p.md', '```diff\n+x\n```')).toThrow('p.md:1: a diff begins with the file that it changes')
  })

  it('add and remove lines between lines that stay', () => {
    expect(patched('a\nb\nc\nd', hunk(' a', '-b', '+B', '+BB', ' c'))).toBe('a\nB\nBB\nc\nd')
  })

  it('leave out text of a line, which is taken over', () => {
    expect(patched("type K = 'a' | 'b' | 'c'\n", hunk("-type K = …'b'…", "+type K = …'b' | 'x'…"))).toBe(
      "type K = 'a' | 'b' | 'x' | 'c'\n",
    )
    expect(patched('f: (x) => [x],\n', hunk(' f: …,', '+g: 1,'))).toBe('f: (x) => [x],\ng: 1,\n')
  })

  it.each([
    ['is not there', ' z', 0],
    ['is there twice', ' a', 2],
  ])('are refused when what they look for %s', (_, line, times) => {
    expect(() => patched('a\na\nb', hunk(line, '+x'))).toThrow(
      `p.md:1: the lines of this diff are ${times} times in f.ts`,
    )
  })
})
