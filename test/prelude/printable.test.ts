import { describe, expect, it } from 'vitest'
import { printable, printableJson } from '../../src/prelude/printable.ts'

describe('printable', () => {
  it('writes what a terminal would obey, or would hide, as its code', () => {
    expect(printable('\u001b]0;owned\u0007\u001b[2J')).toBe(String.raw`\u{1b}]0;owned\u{7}\u{1b}[2J`)
    expect(printable('a\r\nb\tc\u007f\u009b31m')).toBe(String.raw`a\u{d}\u{a}b\u{9}c\u{7f}\u{9b}31m`)
    expect(printable('\u202egnp\u200b.\u2066\u2028\ud800')).toBe(
      String.raw`\u{202e}gnp\u{200b}.\u{2066}\u{2028}\u{d800}`,
    )
  })

  it('leaves all other text as it is, emoji of several parts too', () => {
    for (const text of ['', 'Meer ▕██▏ ✓ 日本 ∞ \\u{1b} "quoted"', '👩‍👩‍👧 ❤️']) expect(printable(text)).toBe(text)
  })

  it('keeps line ends where they are asked for, and nothing else', () => {
    expect(printable('a\nb\rc', { lines: true })).toBe('a\nb\\u{d}c')
  })
})

describe('printableJson', () => {
  it('means what it meant', () => {
    const value = { 'c1\u009b31m': '\u202e\u200b\u{e0041}\u007f', plain: '👩‍👧' }
    const json = printableJson(JSON.stringify(value, null, 2))
    expect(JSON.parse(json)).toEqual(value)
    expect(printable(json, { lines: true })).toBe(json)
  })
})
