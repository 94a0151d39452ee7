/** What the host knows of a tensor's values before anything runs: those of data and of constants, so that a wrong label is an error at its line. */
import type { TypedArray } from '../graph/dtype.ts'
import { knownOf, stored } from './knownNode.ts'
import type { Tensor } from './tensor.ts'

/** The elements of a tensor of data as they are stored, in order, where the host has them: also reshaped. */
export const storedValues = ({ node }: Tensor): TypedArray | undefined => {
  let from = node
  while (from.op === 'reshape' || from.op === 'alias') [from] = from.inputs
  return stored(from)
}

/**
 * The numbers of which a tensor is made, in any order and number, where the host has them: data and constants, also reshaped, repeated
 * or cast. Undefined for what a device has computed, and inside a function that is being compiled, where arguments have no values.
 */
export const knownValues = (x: Tensor): readonly number[] | undefined => knownOf(x.node)
