/** The values of nodes as kernels read them from memory: through views, and copied where a view is not enough. */
import { equalNumbers } from '../prelude/array.ts'
import type { Node } from '../graph/ops.ts'
import { sizeOf } from '../graph/shape.ts'
import { accessOf, instructionFor, targetOf, temporary, type Access, type Lowering } from './access.ts'
import type { Operand } from './kernel.ts'
import type { Cause } from './reason.ts'
import { contiguous, isContiguous } from './view.ts'

/** Copies what `access` reaches into a buffer of its own. */
export const copy = (to: Lowering, node: Node, access: Access, reason: Cause, output = targetOf(to, node)): void => {
  const body = { size: sizeOf(node.shape), instructions: [instructionFor(access, node.dtype)] }
  to.kernels.push({ kind: 'elementwise', body, output, dtype: node.dtype, computes: 'copy', reason, flops: 0 })
  to.access.set(node, { kind: 'buffer', buffer: output, view: contiguous(node.shape) })
}

/** The node's access in the node's own axes; where its strides do not allow them, of a copy. */
export const shapedAccess = (to: Lowering, node: Node): Access => {
  const access = accessOf(to, node)
  if (access.kind === 'literal' || equalNumbers(access.view.shape, node.shape)) return access
  copy(to, node, access, 'reshape', temporary(to, node))
  return accessOf(to, node)
}

/** The node's values in memory, through a view; literals and indices are written out first. */
export const operand = (to: Lowering, node: Node): Operand => {
  const access = shapedAccess(to, node)
  if (access.kind === 'buffer') return { buffer: access.buffer, view: access.view, dtype: node.dtype }
  const buffer = temporary(to, node)
  copy(to, node, access, 'literal', buffer)
  return { buffer, view: contiguous(node.shape), dtype: node.dtype }
}

/** An operand that is contiguous, copied where it is not. */
export const denseOperand = (to: Lowering, node: Node): Operand => {
  const o = operand(to, node)
  if (isContiguous(o.view) && o.view.offset === 0) return o
  const output = temporary(to, node)
  copy(to, node, accessOf(to, node), 'indexed', output)
  return operand(to, node)
}
