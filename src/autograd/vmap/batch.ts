/** Batching a graph: one walk in the order of its making, which rebuilds what depends on placeholders and shares the rest. */
import { at } from '../../prelude/array.ts'
import { isFloat } from '../../graph/dtype.ts'
import { makeNode, withInputs } from '../../graph/node.ts'
import type { Definition, Node, NodeOf } from '../../graph/ops.ts'
import { inheritOrigin } from '../../graph/origin.ts'
import { dependents, reachable } from '../../graph/traverse.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { repeated, type Batched, type Batching, type Wholes } from './batching.ts'
import { loopsIn } from './loop.ts'
import { applyBatching } from './rules.ts'

type Call = NodeOf<'call'>

/** A definition for all slices, and which of its outputs are mapped. */
interface BatchedDefinition {
  readonly definition: Definition
  readonly mapped: readonly boolean[]
}

const placeholderOf = (index: number, whole: Node): NodeOf<'parameter'> =>
  makeNode('parameter', { index, shape: whole.shape.slice(1), dtype: whole.dtype }, [])

type Rule = NonNullable<Definition['vjp']>

/**
 * A definition's own derivative for all slices: its graph for one slice, batched. The cotangent of an argument that all slices share is the sum of theirs.
 * What the rule uses from around it may be placeholders of the same vmap: `wholes` go on to hold.
 */
const batchedVjp =
  (vjp: Rule, mapped: readonly boolean[], wholes: Wholes, size: number): Rule =>
  (inputs, cotangents) => {
    const inside = new Map(wholes)
    const slice = (whole: Node): Node => {
      const one = placeholderOf(-1, whole)
      inside.set(one, whole)
      return one
    }
    const found = vjp(
      inputs.map((x, i) => (at(mapped, i) ? slice(x) : x)),
      cotangents.map(slice),
    )
    const made = batch(
      found.filter((g) => g !== null),
      inside,
      size,
    ).values()
    return found.map((g, i) => {
      const whole = g === null ? undefined : made.next().value
      if (whole === undefined) return null
      const all = whole.isMapped ? whole.node : repeated(whole.node, size)
      if (mapped[i] !== false) return all
      return isFloat(all.dtype) ? new Tensor(all).sum(0).node : null
    })
  }

/** The definition over wholes in the place of the parameters that are mapped. */
const batchDefinition = (
  definition: Definition,
  mapped: readonly boolean[],
  wholes: Wholes,
  size: number,
): BatchedDefinition => {
  const { parameters, outputs, vjp } = definition
  const own = parameters.map((p, i) =>
    at(mapped, i) ? makeNode('parameter', { index: p.attrs.index, shape: [size, ...p.shape], dtype: p.dtype }, []) : p,
  )
  const names = new Map(parameters.flatMap((p, i) => (at(mapped, i) ? [[p, at(own, i)] as const] : [])))
  // With a derivative of its own every output is mapped: its rule is given a cotangent for each slice.
  const made = batch(outputs, names, size).map((y): Batched =>
    vjp === undefined || y.isMapped ? y : { node: repeated(y.node, size), isMapped: true },
  )
  return {
    definition: {
      ...definition,
      parameters: own,
      outputs: made.map((y) => y.node),
      ...(vjp === undefined ? {} : { vjp: batchedVjp(vjp, mapped, wholes, size) }),
    },
    mapped: made.map((y) => y.isMapped),
  }
}

/** The outputs for all slices. What depends on no placeholder stays as it is, shared by all slices. */
export const batch = (outputs: readonly Node[], wholes: Wholes, size: number): readonly Batched[] => {
  const ends = new Set(wholes.keys())
  const nodes = reachable(outputs, ends)
  const active = dependents(nodes, ends)
  const became = new Map<Node, Node>(wholes)
  const mapped = new Set<Node>(ends)
  const plain = (node: Node): Node => became.get(node) ?? node
  const isMapped = (node: Node): boolean => mapped.has(node)
  const batching: Batching = {
    size,
    plain,
    isMapped,
    mapped: (node) => (isMapped(node) ? plain(node) : repeated(plain(node), size)),
  }
  const lists = new Map<readonly Node[], readonly Node[]>() // results of one call share their list of inputs, and go on sharing it
  const inputsOf = (node: Node): readonly Node[] => {
    const inputs = lists.get(node.inputs) ?? node.inputs.map(plain)
    lists.set(node.inputs, inputs)
    return inputs
  }
  const definitions = new Map<Definition, Map<string, BatchedDefinition>>()
  const definitionOf = ({ attrs: { definition }, inputs }: Call): BatchedDefinition => {
    const which = inputs.map(isMapped)
    const known = definitions.get(definition) ?? new Map<string, BatchedDefinition>()
    definitions.set(definition, known)
    const made = known.get(which.join()) ?? batchDefinition(definition, which, wholes, size)
    known.set(which.join(), made)
    return made
  }
  const batchCall = (node: Call): Batched => {
    const { definition, mapped: results } = definitionOf(node)
    const { output } = node.attrs
    return { node: makeNode('call', { definition, output }, inputsOf(node)), isMapped: at(results, output) }
  }
  const given = (node: Node): Batched => ({ node: plain(node), isMapped: isMapped(node) })
  const batchScan = loopsIn(nodes, { size, given, batchBody: (body, inside) => batch(body, inside, size) })
  const rebuild = (node: Node): Batched => {
    // A barrier is as mapped as what it holds back; what it waits for does not matter.
    const deciding = node.op === 'barrier' ? node.inputs.slice(0, 1) : node.inputs
    if (!deciding.some(isMapped)) return { node: withInputs(node, inputsOf(node)), isMapped: false }
    if (node.op === 'call') return batchCall(node)
    if (node.op === 'scan') return batchScan(node)
    return { node: applyBatching(node, batching), isMapped: true }
  }
  for (const node of nodes) {
    if (became.has(node) || !active.has(node)) continue
    const made = rebuild(node)
    inheritOrigin(made.node, node)
    became.set(node, made.node)
    if (made.isMapped) mapped.add(node)
  }
  return outputs.map(given)
}
