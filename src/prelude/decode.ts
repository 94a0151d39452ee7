/**
 * Decoding settings from anything that JSON may hold, with Either. A decoder looks at a value and gives it back as it is, with its type; what is
 * wrong is said in words that help: unknown keys name the nearest, values that do not fit say which do.
 */
import { E } from './fp.ts'
import { suggestion } from './nearest.ts'
import { printable } from './printable.ts'
import { isRecord } from './record.ts'

/** A value or the words that complete "… must be". */
export type Decoder<T> = (value: unknown) => E.Either<string, T>

/** A whole number in a range. */
export const whole =
  (low: number, high = Number.MAX_SAFE_INTEGER): Decoder<number> =>
  (x) =>
    typeof x === 'number' && Number.isSafeInteger(x) && x >= low && x <= high
      ? E.right(x)
      : E.left(high === Number.MAX_SAFE_INTEGER ? `a whole number ≥ ${low}` : `a whole number from ${low} to ${high}`)

/** A number that fits, or words about which do. */
export const number =
  (words: string, fits: (x: number) => boolean): Decoder<number> =>
  (x) =>
    typeof x === 'number' && fits(x) ? E.right(x) : E.left(words)

/** One of some names. */
export const oneOf =
  <T extends string>(...names: readonly T[]): Decoder<T> =>
  (x) => {
    const found = names.find((name) => name === x)
    return found === undefined
      ? E.left(`one of ${names.join(', ')}${typeof x === 'string' ? suggestion(x, names) : ''}`)
      : E.right(found)
  }

/** A text of at least one letter. */
export const text: Decoder<string> = (x) =>
  typeof x === 'string' && x !== '' ? E.right(x) : E.left('a text that is not empty')

/** A list of whole numbers ≥ 1: at most so many, and each at most so large. */
export const list =
  (longest: number, high: number): Decoder<readonly number[]> =>
  (x) =>
    Array.isArray(x) &&
    x.length > 0 &&
    x.length <= longest &&
    x.every((m: unknown): m is number => typeof m === 'number' && Number.isInteger(m) && m > 0 && m <= high)
      ? E.right(x)
      : E.left(`a list of at most ${longest} whole numbers from 1 to ${high}`)

/** A decoder for each field of a record. */
export type Fields<T> = { readonly [K in keyof T]: Decoder<T[K]> }

/** A value as a message shows it: what a terminal would obey is escaped, and what is long is cut. */
export const show = (x: unknown): string => {
  const text = printable(JSON.stringify(x) ?? String(x))
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

const entriesOf = <T>(fields: Fields<T>): readonly (readonly [string, Decoder<unknown>])[] => Object.entries(fields)

const matches = <T>(fields: Fields<T>, x: unknown): x is T =>
  isRecord(x) && entriesOf(fields).every(([key, decode]) => E.isRight(decode(x[key])))

/** The words about the first field that is wrong. */
const wrongField = <T>(fields: Fields<T>, where: string, x: Readonly<Record<string, unknown>>): string | undefined => {
  for (const [key, decode] of entriesOf(fields)) {
    const value = decode(x[key])
    if (E.isLeft(value))
      return value.left.includes(' must be ') || value.left.includes(' is not a setting')
        ? value.left
        : `${where}${key} must be ${value.left}, got ${show(x[key])}`
  }
  return undefined
}

/** Decodes a record field by field; a field that is unknown, or else the first that is wrong, is the error. */
export const record =
  <T>(fields: Fields<T>, where: string) =>
  (x: unknown): E.Either<string, T> => {
    if (!isRecord(x))
      return E.left(
        `${where === '' ? 'the configuration' : where.slice(0, -1)} must be a record of settings, got ${show(x)}`,
      )
    const known = Object.keys(fields)
    const unknown = Object.keys(x).find((key) => !known.includes(key))
    if (unknown !== undefined)
      return E.left(
        `${where}${printable(unknown.slice(0, 100))} is not a setting${suggestion(unknown, known) || `; there are ${known.join(', ')}`}`,
      )
    const wrong = wrongField(fields, where, x)
    return wrong === undefined && matches(fields, x) ? E.right(x) : E.left(wrong ?? `${where} cannot be read`)
  }
