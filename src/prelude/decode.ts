/**
 * Decoding settings from anything that JSON may hold, with Either. A decoder looks at a value and gives it back as it is, with its type; what is
 * wrong is said in words that help: unknown keys name the nearest, values that do not fit say which do.
 */
import { E } from './fp.ts'
import { suggestion } from './nearest.ts'
import { printable } from './printable.ts'
import { isRecord } from './record.ts'

/** What is wrong with a value: what it must be, and what was probably meant; what is wrong in a record has the path of its field. */
export interface Fault {
  /** Completes "… must be"; undefined if there is no such setting. */
  readonly expected: string | undefined
  /** What was probably meant, as `; did you mean steps?`. */
  readonly hint?: string
  /** The path inside the value, names joined by dots, with what stands there; absent for the value itself. */
  readonly inside?: { readonly path: string; readonly got: string }
}

/** A value, or what is wrong with it. */
export type Decoder<T> = (value: unknown) => E.Either<Fault, T>

/** The fault of a value that must be something else. */
export const expects = (expected: string): E.Either<Fault, never> => E.left({ expected })

/** A whole number in a range. */
export const whole =
  (low: number, high = Number.MAX_SAFE_INTEGER): Decoder<number> =>
  (x) =>
    typeof x === 'number' && Number.isSafeInteger(x) && x >= low && x <= high
      ? E.right(x)
      : expects(high === Number.MAX_SAFE_INTEGER ? `a whole number ≥ ${low}` : `a whole number from ${low} to ${high}`)

/** A number that fits, or words about which do. */
export const number =
  (words: string, fits: (x: number) => boolean): Decoder<number> =>
  (x) =>
    typeof x === 'number' && fits(x) ? E.right(x) : expects(words)

/** One of some names. */
export const oneOf =
  <T extends string>(...names: readonly T[]): Decoder<T> =>
  (x) => {
    const found = names.find((name) => name === x)
    return found === undefined
      ? E.left({ expected: `one of ${names.join(', ')}`, hint: typeof x === 'string' ? suggestion(x, names) : '' })
      : E.right(found)
  }

/** A text of at least one letter. */
export const text: Decoder<string> = (x) =>
  typeof x === 'string' && x !== '' ? E.right(x) : expects('a text that is not empty')

/** A value that may be left out. */
export const optional =
  <T>(decode: Decoder<T>): Decoder<T | undefined> =>
  (x) =>
    x === undefined ? E.right(undefined) : decode(x)

/** A list of whole numbers ≥ 1: at most so many, and each at most so large. */
export const list =
  (longest: number, high: number): Decoder<readonly number[]> =>
  (x) =>
    Array.isArray(x) &&
    x.length > 0 &&
    x.length <= longest &&
    x.every((m: unknown): m is number => typeof m === 'number' && Number.isInteger(m) && m > 0 && m <= high)
      ? E.right(x)
      : expects(`a list of at most ${longest} whole numbers from 1 to ${high}`)

/** A decoder for each field of a record. */
export type Fields<T> = { readonly [K in keyof T]: Decoder<T[K]> }

/** JSON has no whole numbers without a bound. */
const withBigInts = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value)

/** A value as a message shows it: what a terminal would obey is escaped, and what is long is cut. */
export const show = (x: unknown): string => {
  // JSON has no ∞ and no NaN: it would say null.
  const text = printable(typeof x === 'number' ? String(x) : (JSON.stringify(x, withBigInts) ?? String(x)))
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

const entriesOf = <T>(fields: Fields<T>): readonly (readonly [string, Decoder<unknown>])[] => Object.entries(fields)

const matches = <T>(fields: Fields<T>, x: unknown): x is T =>
  isRecord(x) && entriesOf(fields).every(([key, decode]) => E.isRight(decode(x[key])))

/** A fault of a field as one of the record. */
export const faultIn = (key: string, value: unknown, { inside, ...fault }: Fault): Fault => ({
  ...fault,
  inside: inside === undefined ? { path: key, got: show(value) } : { ...inside, path: `${key}.${inside.path}` },
})

/** Decodes a record field by field; a field that is unknown, or else the first that is wrong, is the error. */
export const record =
  <T>(fields: Fields<T>): Decoder<T> =>
  (x) => {
    if (!isRecord(x)) return expects('a record of settings')
    const known = Object.keys(fields)
    const unknown = Object.keys(x).find((key) => !known.includes(key))
    if (unknown !== undefined)
      return E.left({
        expected: undefined,
        hint: suggestion(unknown, known) || `; there are ${known.join(', ')}`,
        inside: { path: printable(unknown.slice(0, 100)), got: show(x[unknown]) },
      })
    if (matches(fields, x)) return E.right(x)
    for (const [key, decode] of entriesOf(fields)) {
      const value = decode(x[key])
      if (E.isLeft(value)) return E.left(faultIn(key, x[key], value.left))
    }
    return expects('a record of settings')
  }
