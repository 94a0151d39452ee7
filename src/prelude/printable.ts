/**
 * Text that a terminal may show. What comes from files and their names is data: it may hold escape sequences that repaint the screen or
 * set its title, and marks that reverse the reading direction, and none of these may reach a terminal.
 */

// Controls, format characters (bidi marks, zero width), lone surrogates, line and paragraph separators. Zero width joiner stays:
// emoji are made of it.
const unsafe = /(?!\u200d)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

const escape = (c: string): string => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`

/**
 * The text with everything that a terminal would obey written as `\u{…}`; lines stay lines only where `lines` is set.
 * `'\u001b[2Jred'` becomes `'\\u{1b}[2Jred'`.
 */
export const printable = (text: string, { lines = false }: { readonly lines?: boolean } = {}): string =>
  text.replaceAll(unsafe, (c) => (lines && c === '\n' ? c : escape(c)))

/** JSON of which nothing is obeyed by a terminal, and which means the same. */
export const printableJson = (json: string): string =>
  json.replaceAll(unsafe, (c) =>
    c === '\n' ? c : c.replaceAll(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  )
