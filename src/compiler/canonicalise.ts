/**
 * From the graph as written to the graph to run: calls are replaced by their definitions, annotations dropped, common subexpressions
 * merged, and rewrites applied that change no bit of any result.
 *
 * Nodes are made again in the order of the program, so that the order of their numbers is the schedule.
 */
import { at, equalNumbers, permute, range } from '../prelude/array.ts'
import { isNarrower } from '../graph/dtype.ts'
import { attributesKey, loopKey } from '../graph/key.ts'
import { resultIn } from '../graph/loop.ts'
import { makeNode, rebuilt } from '../graph/node.ts'
import type { Loop, Node, NodeOf, OpName } from '../graph/ops.ts'
import { inheritOrigin } from '../graph/origin.ts'
import { reachable } from '../graph/traverse.ts'
import { movedAsHalves } from './halves.ts'
import { allPasses, type Passes } from './passes.ts'

type Rewrite<K extends OpName> = (node: NodeOf<K>) => Node
type Rewrites = { readonly [K in OpName]?: Rewrite<K> }

/** The one value of a literal, where all its elements are equal by construction. */
export const uniformValue = (node: Node): number | undefined => {
  let source = node
  while (source.op === 'broadcast' || source.op === 'reshape') source = source.inputs[0]
  return source.op === 'constant' && source.attrs.values.length === 1 && source.dtype !== 'f16'
    ? source.attrs.values[0]
    : undefined
}

const isIdentity = (permutation: readonly number[]): boolean => permutation.every((p, i) => p === i)

/** One rule a primitive: the node, or a simpler one with the same bits. */
const rewrites: Rewrites = {
  neg: (n) => (n.inputs[0].op === 'neg' ? n.inputs[0].inputs[0] : n),
  mul: (n) => (uniformValue(n.inputs[1]) === 1 ? n.inputs[0] : uniformValue(n.inputs[0]) === 1 ? n.inputs[1] : n),
  div: (n) => (uniformValue(n.inputs[1]) === 1 ? n.inputs[0] : n),
  cast: (n) => {
    const [x] = n.inputs
    if (n.dtype === x.dtype) return x
    if (x.op === 'cast' && x.inputs[0].dtype === n.dtype && isNarrower(n.dtype, x.dtype)) return x.inputs[0] // there and back
    return n
  },
  reduceMax: (n) => (n.attrs.axes.length === 0 ? n.inputs[0] : n),
  broadcast: (n) => (n.attrs.axes.length === 0 ? n.inputs[0] : n),
  reshape: (n) => {
    const source = n.inputs[0].op === 'reshape' ? n.inputs[0].inputs[0] : n.inputs[0]
    return equalNumbers(source.shape, n.shape)
      ? source
      : source === n.inputs[0]
        ? n
        : makeNode('reshape', n.attrs, [source])
  },
  transpose: (n) => {
    const inner = n.inputs[0]
    if (isIdentity(n.attrs.permutation)) return inner
    if (inner.op !== 'transpose') return n
    const permutation = permute(inner.attrs.permutation, n.attrs.permutation)
    return isIdentity(permutation) ? inner.inputs[0] : makeNode('transpose', { permutation }, inner.inputs)
  },
}

const rewrite = <K extends OpName>(node: NodeOf<K>): Node | undefined => {
  const rule: Rewrite<K> | undefined = rewrites[node.op]
  return rule?.(node)
}

/** A loop with its inputs, for all that are like it. */
interface KnownLoop {
  readonly loop: Loop
  readonly inputs: readonly Node[]
}

/** What one canonicalisation knows: nodes by structure, loops, and what every node of the source has become. */
interface Memory {
  readonly known: Map<string, Node>
  readonly loops: Map<string, KnownLoop>
  readonly ids: Map<Node, number>
  readonly passes: Passes
}

const intern = (node: Node, memory: Memory): Node => {
  if (memory.ids.has(node)) return node
  const key = `${attributesKey(node)}(${node.inputs.map((x) => memory.ids.get(x) ?? 'x').join()})`
  const found = memory.known.get(key)
  if (found !== undefined && memory.passes.merge) return found
  memory.known.set(key, node)
  memory.ids.set(node, memory.ids.size)
  return node
}

/** The node, or a simpler one with the same bits, as part of the program. */
const simplified = (node: Node, memory: Memory): Node => {
  if (!memory.passes.rewrite) return intern(node, memory)
  return movedAsHalves(node, (made) => simplified(made, memory)) ?? intern(rewrite(node) ?? node, memory)
}

/** What is asked of loops of one content with the same inputs is asked of one of them. */
const emitScan = (
  { attrs: { loop, result } }: NodeOf<'scan'>,
  inputs: readonly Node[],
  memory: Memory,
): NodeOf<'scan'> => {
  const key = `${loopKey(loop)}(${inputs.map((x) => memory.ids.get(x)).join()})`
  const known = memory.loops.get(key) ?? { loop, inputs }
  memory.loops.set(key, known)
  return makeNode('scan', { loop: known.loop, result: resultIn(known.loop, loop, result) }, known.inputs)
}

const emit = (node: Node, inputs: readonly Node[], memory: Memory): Node => {
  if (node.op === 'alias' || node.op === 'stopGradient') return at(inputs, 0) // they spoke to autograd, which is done
  if (node.op !== 'scan') return simplified(rebuilt(node, inputs), memory)
  const made = emitScan(node, inputs, memory)
  inheritOrigin(made, node)
  return intern(made, memory)
}

const visit = (outputs: readonly Node[], bound: ReadonlyMap<Node, Node>, memory: Memory): readonly Node[] => {
  const became = new Map<Node, Node>(bound)
  const expanded = new Map<readonly Node[], readonly Node[]>()
  const resolve = (node: Node): Node => {
    const found = became.get(node)
    if (found === undefined) throw new Error(`canonicalise: ${node.op} was used before it was made`)
    return found
  }
  for (const node of reachable(outputs)) {
    if (became.has(node)) continue
    const inputs = node.inputs.map(resolve)
    if (node.op !== 'call') {
      became.set(node, emit(node, inputs, memory))
      continue
    }
    const { definition, output } = node.attrs
    const results =
      expanded.get(node.inputs) ??
      visit(definition.outputs, new Map(definition.parameters.map((p, i) => [p, at(inputs, i)])), memory)
    expanded.set(node.inputs, results)
    became.set(node, at(results, output))
  }
  return outputs.map(resolve)
}

/** A graph ready to be lowered: every node once, in the order in which to run. */
export interface Program {
  readonly parameters: readonly NodeOf<'parameter'>[]
  readonly nodes: readonly Node[]
  readonly outputs: readonly Node[]
}

/** The program that computes `outputs` from `parameters`. */
export const canonicalise = (
  parameters: readonly NodeOf<'parameter'>[],
  outputs: readonly Node[],
  passes: Passes = allPasses,
): Program => {
  const memory: Memory = { known: new Map(), loops: new Map(), ids: new Map(), passes }
  const fresh = parameters.map((p, index) => makeNode('parameter', { index, shape: p.shape, dtype: p.dtype }, []))
  fresh.forEach((p, i) => {
    memory.ids.set(p, memory.ids.size)
    inheritOrigin(p, at(parameters, i))
  })
  const rewritten = visit(
    outputs,
    new Map(range(parameters.length).map((i) => [at(parameters, i), at(fresh, i)])),
    memory,
  )
  return { parameters: fresh, nodes: reachable(rewritten), outputs: rewritten }
}
