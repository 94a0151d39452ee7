/** Which classes are taken for which, as a table of text. */
import { at, range } from '../../../prelude/array.ts'
import { printable } from '../../../prelude/printable.ts'

/** What a network said of pictures whose classes are known. */
export interface Told {
  readonly names: readonly string[]
  /** The class of each picture, a place in `names`. */
  readonly truth: readonly number[]
  readonly said: readonly number[]
}

/**
 * A row for each class: how many of its pictures were taken for each, and the share that is right.
 *
 * @example
 * ```ts
 * import { confusionTable } from 'fathom/train'
 *
 * confusionTable({ names: ['boat', 'sea'], truth: [0, 0, 1], said: [0, 1, 1] })
 * // => 'is \\ said boat sea right\nboat         1   1  50 %\nsea          0   1 100 %\n'
 * ```
 */
export const confusionTable = ({ names, truth, said }: Told): string => {
  const counts = names.map((_, row) =>
    names.map((__, column) => truth.filter((t, i) => t === row && said[i] === column).length),
  )
  const share = (row: number): string => {
    const all = truth.filter((t) => t === row).length
    return all === 0 ? '–' : `${Math.round((100 * at(at(counts, row), row)) / all)} %`
  }
  const shown = names.map((name) => printable(name))
  const rows = [
    ['is \\ said', ...shown, 'right'],
    ...range(names.length).map((row) => [at(shown, row), ...at(counts, row).map(String), share(row)]),
  ]
  const widths = range(names.length + 2).map((column) => Math.max(...rows.map((row) => [...at(row, column)].length)))
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(at(widths, i)) : cell.padStart(at(widths, i)))).join(' ')
  return rows.map((row) => `${line(row)}\n`).join('')
}
