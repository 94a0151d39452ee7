/**
 * Paths as a terminal may show them. A name is data: it may hold newlines, escape sequences that repaint the screen, or
 * marks that
 * reverse the reading direction, and none of these may reach a terminal.
 */

// Controls, format characters (bidi marks, zero width), lone surrogates, private use, line and paragraph separators;
// and the two
// characters that the escaped form itself uses. Zero width joiner and variation selectors stay: emoji are made of them.
const unsafe = /(?!\u200d)[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}"\\]/gu

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '"': '\\"', '\\': '\\\\' }

const escape = (c: string): string => short[c] ?? `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`

/**
 * The path itself when it is harmless, otherwise in double quotes with escapes; `a b.png` → `a b.png`, `a⏎b` →
 * `"a\nb"`.
 */
export const showPath = (path: string): string => {
  const escaped = path.replace(unsafe, escape)
  const misleading = path === '' || path !== path.trim() || path.startsWith('-')
  return escaped === path && !misleading ? path : `"${escaped}"`
}

// What JSON leaves as it is though a terminal obeys it: U+007F … U+009F (U+009B begins an escape sequence), marks that
// turn the reading direction, zero widths. Its own line breaks stay.
const obeyed = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu

/** A JSON text with such characters as `\uXXXX`: the same JSON, harmless to print. */
export const escapeInJson = (json: string): string =>
  json.replace(obeyed, (c) => c.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`))

/**
 * {@link showPath}, shortened in the middle to at most `limit` characters, so that the end of a name stays readable.
 */
export const showShortPath = (path: string, limit: number): string => {
  const shown = [...showPath(path)]
  if (shown.length <= limit) return shown.join('')
  const tail = Math.ceil((limit - 1) / 2)
  return `${shown.slice(0, limit - 1 - tail).join('')}…${shown.slice(shown.length - tail).join('')}`
}
