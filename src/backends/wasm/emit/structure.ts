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
const isBare = (text: string): boolean => /^(?!(?:true|false|undefined|NaN|Infinity)$)[a-zA-Z][\w.]*$/.test(text)

const textOfList = (list: readonly unknown[]): string => {
  let text = ''
  for (const [i, item] of list.entries()) text += i === 0 ? textOf(item) : `,${textOf(item)}`
  return `[${text}]`
}

const textOfRecord = (record: Readonly<Record<string, unknown>>): string => {
  let text = ''
  for (const key of Object.keys(record).toSorted()) {
    const value = record[key]
    if (value !== undefined) text += `${text === '' ? '' : ','}${key}:${textOf(value)}`
  }
  return `{${text}}`
}

/** The canonical text of a structure. Keys are sorted; −0 is not 0. Loops, for it is made of every phase of every plan. */
export const textOf = (structure: unknown): string => {
  if (typeof structure === 'string') return isBare(structure) ? structure : JSON.stringify(structure)
  if (Array.isArray(structure)) return textOfList(structure)
  if (typeof structure === 'object' && structure !== null)
    return textOfRecord(structure as Readonly<Record<string, unknown>>)
  return Object.is(structure, -0) ? '-0' : String(structure)
}
