/** Products of matrices by NumPy's rules: vectors, and leading axes that broadcast. */
import { equalNumbers, range } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { makeNode } from '../graph/node.ts'
import type { Node } from '../graph/ops.ts'
import { broadcastShapes, showShape, type Shape } from '../graph/shape.ts'
import { broadcastNode } from './broadcast.ts'
import { operandsOf } from './withPrecision.ts'

const reshaped = (x: Node, shape: Shape): Node =>
  equalNumbers(x.shape, shape) ? x : makeNode('reshape', { shape }, [x])

/** The matrices of each operand, and the leading axes that they share; a right operand of one matrix needs none. */
const stacked = (x: Node, y: Node, where: string): readonly [x: Node, y: Node, batch: number] => {
  const [lead, other] = [x.shape.slice(0, -2), y.shape.slice(0, -2)]
  if (other.length === 0) return [x, y, 0]
  const shape = broadcastShapes(where, lead, other)
  return [
    broadcastNode(x, [...shape, ...x.shape.slice(-2)]),
    broadcastNode(y, [...shape, ...y.shape.slice(-2)]),
    shape.length,
  ]
}

/** `[…, M, K] · […, K, N] → […, M, N]`; a vector is a row on the left, a column on the right, and its axis of 1 is taken off again. */
export const matmulNode = (x: Node, y: Node): Node => {
  const where = `matmul: ${showShape(x.shape)} · ${showShape(y.shape)}`
  if (x.shape.length === 0 || y.shape.length === 0)
    throw new ShapeError(`${where}: needs vectors, matrices or stacks of them; for a number use mul`)
  const left = x.shape.length === 1 ? reshaped(x, [1, ...x.shape]) : x
  const right = y.shape.length === 1 ? reshaped(y, [...y.shape, 1]) : y
  if (left.shape.at(-1) !== right.shape.at(-2))
    throw new ShapeError(`${where}: ${left.shape.at(-1)} columns meet ${right.shape.at(-2)} rows`)
  const [a, b, leading] = stacked(left, right, where)
  const operands = operandsOf(a, b)
  const batch = range(leading)
  const attrs = {
    contract: [[a.shape.length - 1], [b.shape.length - 2]],
    batch: [batch, batch],
    dtype: operands.dtype,
  } as const
  const z = makeNode('dotGeneral', attrs, [operands.x, operands.y])
  const rows = x.shape.length === 1 ? [] : z.shape.slice(-2, -1)
  return reshaped(z, [...z.shape.slice(0, -2), ...rows, ...(y.shape.length === 1 ? [] : z.shape.slice(-1))])
}
