/** What the host knows of a tensor's values before anything runs: those of data and of constants, so that a wrong label is an error at its line. */
import { decodeHalf } from '../graph/half.ts'
import { roundTo, type TypedArray } from '../graph/dtype.ts'
import type { Node } from '../graph/ops.ts'
import type { Tensor } from './tensor.ts'

const stored = (node: Node): TypedArray | undefined => {
  if (node.op === 'constant') return node.attrs.values
  return node.op === 'buffer' && node.attrs.source.kind === 'host' ? node.attrs.source.values : undefined
}

const knownOf = (node: Node): readonly number[] | undefined => {
  switch (node.op) {
    case 'reshape':
    case 'broadcast':
    case 'alias':
    case 'stopGradient':
      return knownOf(node.inputs[0])
    case 'cast':
      return knownOf(node.inputs[0])?.map(roundTo[node.dtype])
    default: {
      const values = stored(node)
      if (values === undefined) return undefined
      return node.dtype === 'f16' ? Array.from(values, decodeHalf) : Array.from(values)
    }
  }
}

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
