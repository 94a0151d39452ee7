/**
 * Numbers among the arguments of a compiled function: traced as scalars, so that another number runs the same plan. As a number does, such a scalar
 * takes the dtype of the tensor that it meets; each dtype that it takes is a parameter of its own, for the host rounds it.
 */
import type { DType } from '../graph/dtype.ts'
import { makeNode } from '../graph/node.ts'
import type { Node, NodeOf } from '../graph/ops.ts'

/** Parameters of traced numbers, and how each is had in another dtype. */
const forms = new WeakMap<Node, (dtype: DType) => Node>()

/** The node in a dtype, if it is a traced number; any other node as it is. */
export const inDType = (node: Node, dtype: DType): Node =>
  node.dtype === dtype ? node : (forms.get(node)?.(dtype) ?? node)

/** A number as the parameters that it has become. */
export interface TracedNumber {
  /** As it is given to the function: f32. */
  readonly node: Node
  /** By dtype. */
  readonly parameters: ReadonlyMap<DType, NodeOf<'parameter'>>
}

/** A traced number. @param nextIndex numbers the parameters in the order in which dtypes are met */
export const tracedNumber = (nextIndex: () => number): TracedNumber => {
  const parameters = new Map<DType, NodeOf<'parameter'>>()
  const inForm = (dtype: DType): Node => {
    const known = parameters.get(dtype)
    if (known !== undefined) return known
    const made = makeNode('parameter', { index: nextIndex(), shape: [], dtype }, [])
    parameters.set(dtype, made)
    forms.set(made, inForm)
    return made
  }
  return { node: inForm('f32'), parameters }
}
