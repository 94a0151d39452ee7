/** What programs are made of: how often each primitive appears in them, and how often a gradient flows through it. */
import fc from 'fast-check'
import { isFloat } from '../../src/graph/dtype.ts'
import { applyVjp } from '../../src/autograd/vjp.ts'
import { elementwiseOps, type Node, type OpName } from '../../src/graph/ops.ts'
import { dependents, reachable } from '../../src/graph/traverse.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { primitives } from '../registry/primitives.ts'
import { inputsOf, outputsOf, programs } from './program.ts'

/** Appearances by primitive. */
export type Appearances = Record<OpName, number>

/** Every primitive's name. */
export const primitiveNames = Object.keys(primitives) as readonly OpName[]

/** Zero of each. */
export const none = (): Appearances => Object.fromEntries(primitiveNames.map((op) => [op, 0])) as Appearances

/** The primitives through which gradients flow, by their entries in the registry; the leaves that they flow to are left out. */
export const differentiable: readonly OpName[] = primitiveNames.filter(
  (op) => op !== 'parameter' && op !== 'buffer' && primitives[op].differentiableIn.length > 0,
)

/** Counts every node of a graph, the bodies of calls included. */
export const countValues = (outputs: readonly Node[], into: Appearances): void => {
  for (const node of reachable(outputs)) {
    into[node.op]++
    if (node.op === 'call') countValues(node.attrs.definition.outputs, into)
    if (node.op === 'scan') countValues(node.attrs.loop.next, into)
  }
}

/** Counts the nodes at which a cotangent arrives on its way from the outputs to the sources. */
export const countGradients = (outputs: readonly Node[], sources: readonly Node[], into: Appearances): void => {
  const nodes = reachable(outputs)
  const active = dependents(nodes, new Set(sources))
  const reached = new Set(outputs.filter((o) => active.has(o) && isFloat(o.dtype)))
  for (const node of nodes.toReversed()) {
    if (!reached.has(node)) continue
    into[node.op]++
    if (node.op === 'call' && node.attrs.definition.vjp === undefined) {
      const { definition, output } = node.attrs
      countGradients([definition.outputs[output] as Node], definition.parameters, into)
    }
    const arrives =
      node.op === 'call' || node.op === 'scan'
        ? node.inputs.map(() => true)
        : applyVjp(new Tensor(node), node).map((g) => g !== null)
    node.inputs.forEach((x, i) => {
      if (arrives[i] === true && active.has(x) && isFloat(x.dtype)) reached.add(x)
    })
  }
}

/** What `count` random programs are made of; they are built, and not run. */
export const drawn = (
  seed: number,
  count: number,
): { readonly values: Appearances; readonly gradients: Appearances } => {
  const found = { values: none(), gradients: none() }
  for (const program of fc.sample(programs(8, 40), { seed, numRuns: count })) {
    const inputs = inputsOf(program)
    const outputs = outputsOf(program, inputs, 'nothing').map((x) => x.node)
    const sources = inputs.filter((x) => isFloat(x.dtype)).map((x) => x.node)
    countValues(outputs, found.values)
    countGradients(outputs, sources, found.gradients)
  }
  return found
}

const operationsOf = (op: OpName): string =>
  (elementwiseOps as readonly OpName[]).includes(op)
    ? 'proof/fuzz/operations/elementwise.ts'
    : 'one of proof/fuzz/operations/{annotated,reducing,shaping}.ts'

/** What to do about each primitive that appears fewer than `least` times. */
export const rarities = (
  ops: readonly OpName[],
  counts: Appearances,
  least: number,
  where: string,
): readonly string[] =>
  ops
    .filter((op) => counts[op] < least)
    .map((op) => `${op} is ${counts[op]} times in ${where}: add an operation that makes it to ${operationsOf(op)}`)
