import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { showPath, showShortPath } from '../../../src/data/folder/showPath.ts'

describe('showPath', () => {
  it('leaves plain names, spaces inside, accents and emoji as they are', () => {
    for (const name of ['a.png', 'my sea/wave 1.jpg', 'Ærø.png', '🌊.png', '👩‍🚀.png']) expect(showPath(name)).toBe(name)
  })

  it('quotes and escapes newlines, quotes, backslashes, terminal escapes and marks of reversed reading', () => {
    expect(showPath('a\nb')).toBe('"a\\nb"')
    expect(showPath('say "hi"\\')).toBe('"say \\"hi\\"\\\\"')
    expect(showPath('\x1b[31mred')).toBe('"\\u{1b}[31mred"')
    expect(showPath('gpj.\u202eexe')).toBe('"gpj.\\u{202e}exe"')
  })

  it('quotes names that a person would read as something else: a leading dash, outer spaces, nothing', () => {
    expect(showPath('-rf')).toBe('"-rf"')
    expect(showPath(' a')).toBe('" a"')
    expect(showPath('')).toBe('""')
  })

  it('never lets a control character through, and two names never look the same', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (s) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(showPath(s))))
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary' }),
        (a, b) => a === b || showPath(a) !== showPath(b),
      ),
    )
  })

  it('shortens long names in the middle and keeps the ending', () => {
    const shown = showShortPath(`${'x'.repeat(250)}.jpg`, 20)
    expect([...shown]).toHaveLength(20)
    expect(shown.endsWith('.jpg')).toBe(true)
  })
})
