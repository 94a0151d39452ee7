/** Products over axes, multiplied in pairs: no division is needed for the gradient, so that zeros do no harm. */
import { at, product, range, without } from '../prelude/array.ts'
import { makeNode } from '../graph/node.ts'
import type { Node } from '../graph/ops.ts'
import { fullNode } from './broadcast.ts'

/** The columns from `start` to `limit` of a matrix. */
const columns = (x: Node, start: number, limit: number): Node =>
  makeNode('slice', { start: [0, start], limit: [at(x.shape, 0), limit], stride: [1, 1] }, [x])

/** The product of each row, in ⌈log₂ n⌉ steps: the first half times the second; an odd one out is multiplied at the end. */
const productOfRows = (x: Node): Node => {
  const n = at(x.shape, 1)
  if (n === 0) return fullNode(1, [at(x.shape, 0), 1], x.dtype)
  if (n === 1) return x
  const half = Math.floor(n / 2)
  const pairs = productOfRows(makeNode('mul', {}, [columns(x, 0, half), columns(x, half, 2 * half)]))
  return n % 2 === 0 ? pairs : makeNode('mul', {}, [pairs, columns(x, n - 1, n)])
}

/** The product over `axes`. */
export const productNode = (x: Node, axes: readonly number[]): Node => {
  const kept = range(x.shape.length).filter((a) => !axes.includes(a))
  const moved = makeNode('transpose', { permutation: [...kept, ...axes] }, [x])
  const count = product(axes.map((a) => at(x.shape, a)))
  const shape = without(x.shape, axes)
  const rows = makeNode('reshape', { shape: [product(shape), count] }, [moved])
  return makeNode('reshape', { shape }, [productOfRows(rows)])
}
