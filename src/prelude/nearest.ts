/** The nearest of some names, by edit distance: what an error about an unknown name suggests. */
import { range } from './array.ts'

/** Insertions, deletions and substitutions between two texts (Levenshtein 1966), row by row. */
const editDistance = (a: string, b: string): number => {
  const first = range(b.length + 1)
  const last = [...a].reduce<readonly number[]>((above, x, i) => {
    const row = [i + 1]
    ;[...b].forEach((y, j) => {
      row.push(Math.min((row[j] ?? 0) + 1, (above[j + 1] ?? 0) + 1, (above[j] ?? 0) + (x === y ? 0 : 1)))
    })
    return row
  }, first)
  return last[b.length] ?? a.length
}

/**
 * The name that is nearest to what was written, if any is near: at most half of its letters differ.
 *
 * @example
 * ```ts
 * import { nearest } from 'fathom/train'
 *
 * nearest('sede', ['steps', 'seed']) // => 'seed'
 * nearest('colour', ['steps', 'seed']) // => undefined
 * ```
 */
export const nearest = (written: string, names: readonly string[]): string | undefined => {
  const plain = (s: string): string => s.toLowerCase().replaceAll(/[-_]/g, '')
  const ranked = names
    .map((name) => ({ name, distance: editDistance(plain(written), plain(name)) }))
    .toSorted((x, y) => x.distance - y.distance)
  const [best] = ranked
  return best !== undefined && best.distance <= Math.max(1, Math.floor(best.name.length / 2)) ? best.name : undefined
}

/**
 * ` (did you mean 'steps'?)`, or nothing.
 *
 * @example
 * ```ts
 * import { suggestion } from 'fathom/train'
 *
 * suggestion('stpes', ['steps', 'seed']) // => '; did you mean steps?'
 * suggestion('stpes', ['steps', 'seed'], (name) => `--${name}`) // => '; did you mean --steps?'
 * suggestion('colour', ['steps', 'seed']) // => ''
 * ```
 */
export const suggestion = (
  written: string,
  names: readonly string[],
  show: (name: string) => string = (name) => name,
): string => {
  const name = nearest(written, names)
  return name === undefined ? '' : `; did you mean ${show(name)}?`
}
