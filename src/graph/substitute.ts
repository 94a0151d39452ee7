/** Rebuilding a graph with some of its nodes replaced. */
import { at } from '../prelude/array.ts'
import { makeNode, withInputs } from './node.ts'
import type { Definition, Node, NodeOf } from './ops.ts'
import { dependents, reachable } from './traverse.ts'

/** The outputs with every node that `replacements` names replaced; what does not depend on one of them is shared, not copied. */
export const substitute = (outputs: readonly Node[], replacements: ReadonlyMap<Node, Node>): readonly Node[] => {
  const rebuilt = new Map<Node, Node>(replacements)
  const resolve = (node: Node): Node => rebuilt.get(node) ?? node
  const lists = new Map<readonly Node[], readonly Node[]>() // results of one call share their list of inputs, and go on sharing it
  for (const node of reachable(outputs)) {
    if (rebuilt.has(node)) continue
    const inputs = lists.get(node.inputs) ?? node.inputs.map(resolve)
    lists.set(node.inputs, inputs)
    rebuilt.set(node, withInputs(node, inputs))
  }
  return outputs.map(resolve)
}

/** The body of a definition with its parameters replaced by `inputs`. */
export const instantiate = (definition: Definition, inputs: readonly Node[]): readonly Node[] =>
  substitute(definition.outputs, new Map(definition.parameters.map((p, i) => [p, at(inputs, i)])))

const isPlain = ({ vjp, checkpoint }: Definition): boolean => vjp === undefined && !checkpoint

/** The outputs with calls that say nothing to autograd replaced by what they stand for. */
export const withoutPlainCalls = (
  outputs: readonly Node[],
  bound: ReadonlyMap<Node, Node> = new Map(),
): readonly Node[] => {
  const rebuilt = new Map<Node, Node>(bound)
  const resolve = (node: Node): Node => rebuilt.get(node) ?? node
  const lists = new Map<readonly Node[], readonly Node[]>()
  const opened = new Map<readonly Node[], readonly Node[]>()
  for (const node of reachable(outputs)) {
    if (rebuilt.has(node)) continue
    const inputs = lists.get(node.inputs) ?? node.inputs.map(resolve)
    lists.set(node.inputs, inputs)
    if (node.op !== 'call' || !isPlain(node.attrs.definition)) {
      rebuilt.set(node, withInputs(node, inputs))
      continue
    }
    const { definition, output } = node.attrs
    const results =
      opened.get(node.inputs) ??
      withoutPlainCalls(definition.outputs, new Map(definition.parameters.map((p, i) => [p, at(inputs, i)])))
    opened.set(node.inputs, results)
    rebuilt.set(node, at(results, output))
  }
  return outputs.map(resolve)
}

/** A traced body, closed: what it used from outside has become further parameters, bound to `captured`. */
export interface Closure {
  readonly parameters: readonly NodeOf<'parameter'>[]
  readonly outputs: readonly Node[]
  readonly captured: readonly Node[]
}

const isLiteral = (node: Node): boolean => node.inputs.length === 0 && node.op !== 'buffer' && node.op !== 'parameter'

/** Closes a body over its parameters: the largest parts that depend on none of them become parameters of their own. */
export const close = (parameters: readonly NodeOf<'parameter'>[], outputs: readonly Node[]): Closure => {
  const nodes = reachable(outputs)
  const inside = dependents(nodes, new Set(parameters))
  const data = new Set<Node>() // what depends on values from outside; the rest is made of literals and may stay
  for (const node of nodes)
    if (node.inputs.length === 0 ? !isLiteral(node) : node.inputs.some((x) => data.has(x))) data.add(node)
  const isOutside = (node: Node): boolean => data.has(node) && !inside.has(node)
  const captured = [
    ...new Set([...nodes.filter((n) => inside.has(n)).flatMap((n) => n.inputs), ...outputs].filter(isOutside)),
  ]
  const fresh = captured.map((n, i) =>
    makeNode('parameter', { index: parameters.length + i, shape: n.shape, dtype: n.dtype }, []),
  )
  const closed = substitute(outputs, new Map(captured.map((n, i) => [n, at(fresh, i)])))
  return { parameters: [...parameters, ...fresh], outputs: closed, captured }
}
