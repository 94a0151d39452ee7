/** Parameters as a table of text: path, shape, count. */
import { key } from '../tensor/random.ts'
import { countElements, leavesWithPaths } from '../tensor/tree.ts'
import type { AnyModule } from './module.ts'

const isModule = (x: unknown): x is AnyModule =>
  typeof x === 'object' && x !== null && 'init' in x && typeof x.init === 'function'

const thousands = (n: number): string => n.toLocaleString('en-US')

/** The table with each column as wide as its widest cell; the last is aligned to the right. */
const layOut = (rows: readonly (readonly [string, string, string])[]): string => {
  const width = (i: 0 | 1 | 2): number => Math.max(...rows.map((row) => row[i].length))
  const [path, shape, count] = [width(0), width(1), width(2)]
  return rows.map((row) => `${row[0].padEnd(path)}  ${row[1].padEnd(shape)}  ${row[2].padStart(count)}`).join('\n')
}

/**
 * A line for every parameter of a tree, or of a model (which is not computed for it), and their total.
 *
 * @example
 * ```ts
 * import { describe, linear } from 'fathom/nn'
 *
 * describe(linear(4, 10)) // =>
 * // path    shape    count
 * // bias    [10]        10
 * // weight  [4, 10]     40
 * // total               50
 * ```
 */
export const describe = (modelOrParams: unknown): string => {
  const params = isModule(modelOrParams) ? modelOrParams.init(key(0)) : modelOrParams
  const rows = leavesWithPaths(params).map(([path, x]) => [path, `[${x.shape.join(', ')}]`, thousands(x.size)] as const)
  return layOut([['path', 'shape', 'count'], ...rows, ['total', '', thousands(countElements(params))]])
}
