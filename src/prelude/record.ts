/** Plain objects as records: what `Object.keys` and `JSON.parse` do not tell the compiler. */

/** Whether a value is an object with named fields, neither null nor an array: the first check of what was parsed. */
export const isRecord = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === 'object' && x !== null && !Array.isArray(x)

/** The own keys of a record whose type lists all of them (a table, not a wider object), in their order. */
export const keysOf = <K extends string>(record: Readonly<Partial<Record<K, unknown>>>): readonly K[] => {
  const isKey = (key: string): key is K => Object.hasOwn(record, key)
  return Object.keys(record).filter(isKey)
}
