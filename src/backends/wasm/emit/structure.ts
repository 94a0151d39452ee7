/**
 * The structure of a function as a value, and its canonical text: two structures have the same text only if they are the same. A structure is
 * plain data, so that nothing of it can be missing from its text.
 */

/** Data of which a text tells all: numbers, strings, booleans, lists and records of them. Everything else becomes a type that nothing has. */
export type Plain<T> = T extends string | number | boolean | undefined
  ? T
  : T extends (...args: never) => unknown
    ? never
    : { readonly [K in keyof T]: Plain<T[K]> }

/** A word that needs no quotes, for it can be no number, boolean or list. */
const isBare = (text: string): boolean =>
  /^[a-z][\w.]*$/i.test(text) && !/^(true|false|undefined|NaN|Infinity)$/.test(text)

/** The canonical text of a structure. Keys are sorted; −0 is not 0. */
export const textOf = (structure: unknown): string => {
  if (typeof structure === 'string') return isBare(structure) ? structure : JSON.stringify(structure)
  if (Array.isArray(structure)) return `[${structure.map(textOf).join()}]`
  if (typeof structure !== 'object' || structure === null) return Object.is(structure, -0) ? '-0' : String(structure)
  const entries = Object.entries(structure).filter(([, value]) => value !== undefined)
  return `{${entries
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}:${textOf(value)}`)
    .join()}}`
}
