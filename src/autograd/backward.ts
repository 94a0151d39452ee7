/** Reverse mode: one walk over the graph against the order of its making, which builds the graph of the cotangents. */
import { at } from '../prelude/array.ts'
import { isFloat } from '../graph/dtype.ts'
import { makeNode } from '../graph/node.ts'
import type { Node, NodeOf } from '../graph/ops.ts'
import { instantiate } from '../graph/substitute.ts'
import { dependents, reachable } from '../graph/traverse.ts'
import { zerosLike } from '../tensor/create.ts'
import { Tensor } from '../tensor/tensor.ts'
import { applyVjp } from './vjp.ts'

/** An output and the cotangent that arrives at it. */
export type Seed = readonly [output: Node, cotangent: Tensor]

type Cotangents = Map<Node, Tensor>

const accumulate = (cotangents: Cotangents, node: Node, g: Tensor | null): void => {
  if (g === null || !isFloat(node.dtype)) return
  const sum = cotangents.get(node)
  cotangents.set(node, sum === undefined ? g : sum.add(g))
}

/** Calls made together share their list of inputs; they are differentiated together, so that a checkpoint is recomputed once. */
const siblings = (node: NodeOf<'call'>, active: ReadonlySet<Node>): readonly NodeOf<'call'>[] =>
  [...active].filter((n): n is NodeOf<'call'> => n.op === 'call' && n.inputs === node.inputs && n.attrs.definition === node.attrs.definition)

const callCotangents = (node: NodeOf<'call'>, calls: readonly NodeOf<'call'>[], cotangents: Cotangents): readonly (Tensor | null)[] => {
  const { inputs } = node
  const { definition } = node.attrs
  const arriving = calls.flatMap((c) => {
    const g = cotangents.get(c)
    return g === undefined ? [] : [[c.attrs.output, g] as const]
  })
  const [first] = arriving
  if (first === undefined) return inputs.map(() => null)
  if (definition.vjp !== undefined) {
    const given = new Map(arriving)
    const gs = definition.outputs.map((o, i) => (given.get(i) ?? zerosLike(new Tensor(o))).node)
    return definition.vjp(inputs, gs).map((n) => (n === null ? null : new Tensor(n)))
  }
  // A checkpoint is rebuilt behind a barrier that waits for the cotangent: no pass can merge it with the forward computation.
  const fresh = inputs.map((x) => (definition.checkpoint ? makeNode('barrier', {}, [x, first[1].node]) : makeNode('alias', {}, [x])))
  const outputs = instantiate(definition, fresh)
  return backward(arriving.map(([i, g]) => [at(outputs, i), g]), fresh)
}

/** The cotangents of `sources` when `seeds` arrive at the outputs; null where no gradient flows. */
export const backward = (seeds: readonly Seed[], sources: readonly Node[]): readonly (Tensor | null)[] => {
  const nodes = reachable(seeds.map(([output]) => output))
  const active = dependents(nodes, new Set(sources))
  const cotangents: Cotangents = new Map()
  const done = new Set<Node>(sources)
  for (const [output, g] of seeds) accumulate(cotangents, output, g)
  for (const node of nodes.toReversed()) {
    if (!active.has(node) || done.has(node)) continue
    if (node.op === 'call') {
      const calls = siblings(node, active)
      for (const c of calls) done.add(c)
      callCotangents(node, calls, cotangents).forEach((g, i) => accumulateActive(cotangents, active, at(node.inputs, i), g))
      continue
    }
    const g = cotangents.get(node)
    if (g === undefined) continue
    applyVjp(g, node).forEach((gi, i) => accumulateActive(cotangents, active, at(node.inputs, i), gi))
  }
  return sources.map((s) => cotangents.get(s) ?? null)
}

const accumulateActive = (cotangents: Cotangents, active: ReadonlySet<Node>, node: Node, g: Tensor | null): void => {
  if (active.has(node)) accumulate(cotangents, node, g)
}
