/** Computing tensors where they are asked for: their graph, over the buffers that it reads, is a plan like any other. */
import { at } from '../prelude/array.ts'
import { graphKey } from '../graph/key.ts'
import { makeNode } from '../graph/node.ts'
import type { Node, NodeOf } from '../graph/ops.ts'
import { inheritOrigin } from '../graph/origin.ts'
import { substitute } from '../graph/substitute.ts'
import { reachable } from '../graph/traverse.ts'
import { compile as compilePlan, type Plan } from '../compiler/plan.ts'
import { borrow, leafTensor, ready, run, storageOf, type Session } from './storage.ts'
import type { Tensor } from './tensor.ts'
import { leaves, refill } from './tree.ts'

/** Whether the node is a leaf of data. */
export const isBuffer = (node: Node): node is NodeOf<'buffer'> => node.op === 'buffer'

const isOnDevice = (x: Tensor): boolean => x.node.op === 'buffer' && x.node.attrs.source.kind === 'device'

/** A parameter in the place of a leaf. */
export const parameterFor = (node: Node, index: number): NodeOf<'parameter'> => {
  const made = makeNode('parameter', { index, shape: node.shape, dtype: node.dtype }, [])
  inheritOrigin(made, node)
  return made
}

/** Plans of `realize`, by the structure of the graph over its buffers. */
const realizeNodes = (session: Session, outputs: readonly Node[]): readonly Tensor[] => {
  const buffers = reachable(outputs).filter(isBuffer)
  const names = new Map<Node, string>(buffers.map((b, i) => [b, `b${i}:${b.dtype}[${b.shape.join()}]`]))
  const key = `${[...names.values()].join()}|${graphKey(outputs, names)}`
  const known = session.realizations.get(key)
  const made = known ?? ready(session, planOver(session, buffers, outputs))
  session.realizations.set(key, made)
  return borrow(session, buffers, (storages) => run(session, made, storages))
}

/** Compiles a graph with some of its leaves turned into parameters. */
const planOver = (session: Session, buffers: readonly Node[], outputs: readonly Node[]): Plan => {
  const parameters = buffers.map(parameterFor)
  const closed = substitute(outputs, new Map(buffers.map((b, i) => [b, at(parameters, i)])))
  return compilePlan(parameters, closed, session.passes)
}

/** Every leaf as a value on the device; the same list when they all are. */
export const realizeLeaves = (session: Session, all: readonly Tensor[]): readonly Tensor[] => {
  const pending = all.filter((x) => !isOnDevice(x))
  if (pending.length === 0) return all
  const hosted = new Map<Tensor, Tensor>()
  for (const x of pending)
    if (isBuffer(x.node)) hosted.set(x, leafTensor(storageOf(session, x.node, ''), x.shape, x.dtype))
  const lazy = [...new Set(pending.filter((x) => !hosted.has(x)))]
  if (lazy.length > 0)
    realizeNodes(
      session,
      lazy.map((x) => x.node),
    ).forEach((y, i) => hosted.set(at(lazy, i), y))
  return all.map((x) => hosted.get(x) ?? x)
}

/** The tree with every leaf computed; itself when all of them are. */
export const realizeTree = <T>(session: Session, tree: T): T => {
  const all = leaves(tree)
  const realized = realizeLeaves(session, all)
  return realized === all ? tree : refill(tree, realized)
}
