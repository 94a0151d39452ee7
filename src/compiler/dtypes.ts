/** Whether a backend has the dtypes that a graph needs; where it has not, an error that names what needs it, in words of the user. */
import { DTypeError } from '../prelude/errors.ts'
import { keysOf } from '../prelude/record.ts'
import { bytesPerElement, type DType } from '../graph/dtype.ts'
import type { Node } from '../graph/ops.ts'
import { originOf } from '../graph/origin.ts'
import { showShape } from '../graph/shape.ts'
import { reachable } from '../graph/traverse.ts'

/** All that there are. */
export const allDTypes: readonly DType[] = keysOf(bytesPerElement)

/** A node with the names of the calls that it is part of, from the outermost. */
interface Found {
  readonly node: Node
  readonly calls: readonly Node[]
}

/** The first node whose dtype is not among those that a backend has; of a call, the node of its definition. */
const firstOther = (outputs: readonly Node[], has: ReadonlySet<DType>, seen: Set<unknown>): Found | undefined => {
  for (const node of reachable(outputs)) {
    if (node.op === 'call' && !seen.has(node.attrs.definition)) {
      seen.add(node.attrs.definition)
      const inside = firstOther(node.attrs.definition.outputs, has, seen)
      if (inside !== undefined && inside.node.op !== 'parameter') return { ...inside, calls: [node, ...inside.calls] }
    }
    if (!has.has(node.dtype)) return { node, calls: [] }
  }
  return undefined
}

const nameOf = (node: Node): string => {
  if (node.op === 'call') return node.attrs.definition.name
  if (node.op === 'parameter') return 'an argument'
  return node.op === 'constant' ? 'a constant' : node.op
}

/** @throws DTypeError that names the first node of a dtype that is not in the list */
export const requireDTypes = (
  { parameters, outputs }: { readonly parameters: readonly Node[]; readonly outputs: readonly Node[] },
  dtypes: readonly DType[],
): void => {
  if (allDTypes.every((dtype) => dtypes.includes(dtype))) return
  const found = firstOther([...parameters, ...outputs], new Set(dtypes), new Set())
  if (found === undefined) return
  const { node, calls } = found
  const inside = calls.map((call) => ` of ${nameOf(call)}`).toReversed()
  const [place] = [node, ...calls].flatMap((x) => originOf(x) ?? [])
  throw new DTypeError(
    `${nameOf(node)}${inside.join('')} is ${node.dtype}${showShape(node.shape)}${place === undefined ? '' : `, ${place}`}, and this device has no ${node.dtype}: cast to f32 before, or open a device that has it`,
  )
}
