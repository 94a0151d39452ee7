/** How the registry builds a primitive: from tensors, straight from its name and attributes, past the methods that would check or simplify. */
import { makeNode } from '../../../src/graph/node.ts'
import type { Node, OpName, Ops } from '../../../src/graph/ops.ts'
import { Tensor } from '../../../src/tensor/tensor.ts'

/** The result of primitive `op`. */
export const apply = <K extends OpName>(
  op: K,
  attrs: Ops[K]['attrs'],
  ...xs: readonly (Tensor | undefined)[]
): Tensor => {
  // The number of inputs is the entry's business; the inference rules destructure what they are given.
  const inputs = xs.map((x): Node => {
    if (x === undefined) throw new Error(`${op}: the case has too few inputs`)
    return x.node
  })
  return new Tensor(makeNode(op, attrs, inputs as unknown as Ops[K]['inputs']) as Node)
}
