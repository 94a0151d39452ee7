/** What the host knows of a node's values before anything runs, and the labels among them that are refused. Tensors need it, and so it knows none. */
import { decodeHalf } from '../graph/half.ts'
import { roundTo, type TypedArray } from '../graph/dtype.ts'
import type { Node } from '../graph/ops.ts'

/** The elements of data and of constants, as they are stored. */
export const stored = (node: Node): TypedArray | undefined => {
  if (node.op === 'constant') return node.attrs.values
  return node.op === 'buffer' && node.attrs.source.kind === 'host' ? node.attrs.source.values : undefined
}

/** The numbers that `knownValues` of a tensor has. */
export const knownOf = (node: Node): readonly number[] | undefined => {
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

/** Refuses a label outside 0 … count − 1, where its value is known: what `requireLabels` does for a tensor. */
export const requireLabelNode = (who: string, name: string, labels: Node, count: number, except?: number): void => {
  const outside = knownOf(labels)?.find((k) => !(k >= 0 && k < count) && k !== except)
  if (outside !== undefined)
    throw new RangeError(
      `${who}: the ${name} ${outside} is outside 0 … ${count - 1}${outside === count ? '; they are counted from 0' : ''}`,
    )
}
