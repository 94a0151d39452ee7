/** The little of HTML and SVG that the report needs. */

/** A text as HTML. */
export const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)

/** A number as a person reads it: with a true minus. */
export const shown = (value: number, digits: number): string => value.toFixed(digits).replace('-', '−')

/** A p-value; the least that a test can say is what its permutations allow. */
export const shownP = (p: number): string => (p < 0.0095 ? p.toFixed(3) : p.toFixed(2))

/** To a tenth of a pixel. */
export const px = (value: number): string => String(Math.round(value * 10) / 10)

/** Bytes in base64. */
export const base64 = (bytes: Uint8Array): string => {
  let text = ''
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000))
  return btoa(text)
}
