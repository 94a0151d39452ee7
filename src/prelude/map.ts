/** Maps whose keys are known to be there. */

/** The value of `key`; throws where there is none, so that callers need no assertion. */
export const valueAt = <V>(map: ReadonlyMap<string, V>, key: string): V => {
  const value = map.get(key)
  if (value === undefined) throw new RangeError(`'${key}' is none of ${[...map.keys()].join(', ')}`)
  return value
}
