/** The little of SVG that the charts of benches need. */

export const colors = ['#0b6e99', '#d9622b', '#2a9d6f', '#8a4f9e', '#b8860b', '#5b6b7b'] as const

const fonts = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"

/** To a tenth of a pixel. */
export const px = (value: number): string => String(Math.round(value * 10) / 10)

/** Text for SVG. */
export const escapeXml = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)

/** A piece of text; `style` is written as it is. */
export const text = (x: number, y: number, content: string, style = ''): string =>
  `<text x="${px(x)}" y="${px(y)}" ${style}>${escapeXml(content)}</text>`

/** A document of this size on white, with a title. */
export const document = (width: number, height: number, title: string, parts: readonly string[]): string =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
      `role="img" aria-label="${escapeXml(title)}" font-family="${fonts}" font-size="12" fill="#44515e">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(24, 34, title, 'font-size="18" font-weight="600" fill="#15212d"'),
    ...parts,
    '</svg>\n',
  ].join('\n')

/** Names beside their colours, in a row. */
export const legend = (x: number, y: number, names: readonly string[]): readonly string[] =>
  names.map((name, i) => {
    const left = x + names.slice(0, i).reduce((sum, n) => sum + 40 + 7.2 * n.length, 0)
    const mark = `<rect x="${px(left)}" y="${px(y - 9)}" width="10" height="10" rx="2" fill="${colors[i % colors.length]}"/>`
    return mark + text(left + 16, y, name)
  })
