/** Walking graphs without recursion: real networks are thousands of nodes deep. */
import type { Node } from './ops.ts'

/**
 * Every node that the outputs need, each once, inputs before users: in the order in which the program made them. The walk ends at
 * nodes of `ends`: what these need is left out.
 */
export const reachable = (outputs: readonly Node[], ends: ReadonlySet<Node> = new Set()): readonly Node[] => {
  const seen = new Set<Node>(outputs)
  const stack = [...seen]
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (ends.has(node)) continue
    for (const input of node.inputs) {
      if (seen.has(input)) continue
      seen.add(input)
      stack.push(input)
    }
  }
  return [...seen].toSorted((a, b) => a.id - b.id)
}

/** The nodes among `nodes` (inputs first) that depend on one of `sources`, the sources included. */
export const dependents = (nodes: readonly Node[], sources: ReadonlySet<Node>): ReadonlySet<Node> => {
  const found = new Set<Node>()
  for (const node of nodes) if (sources.has(node) || node.inputs.some((x) => found.has(x))) found.add(node)
  return found
}
