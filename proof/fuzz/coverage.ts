/** What programs are made of: how often each primitive appears in them, and how often a gradient flows through it. */
import { isFloat } from '../../src/graph/dtype.ts'
import { applyVjp } from '../../src/autograd/vjp.ts'
import type { Node, OpName } from '../../src/graph/ops.ts'
import { dependents, reachable } from '../../src/graph/traverse.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { primitives } from '../registry/primitives.ts'

/** Appearances by primitive. */
export type Appearances = Record<OpName, number>

/** Every primitive's name. */
export const primitiveNames = Object.keys(primitives) as readonly OpName[]

/** Zero of each. */
export const none = (): Appearances => Object.fromEntries(primitiveNames.map((op) => [op, 0])) as Appearances

/** The primitives through which gradients flow, the leaves that they flow to left out. */
export const differentiable: readonly OpName[] = [
  ...([
    'alias',
    'barrier',
    'call',
    'neg',
    'exp',
    'log',
    'sqrt',
    'sin',
    'cos',
    'tanh',
    'logistic',
    'erf',
    'cast',
  ] as const),
  ...(['add', 'mul', 'div', 'rem', 'max', 'where', 'reduceSum', 'reduceMax', 'broadcast', 'reshape'] as const),
  ...(['transpose', 'reverse', 'pad', 'slice', 'concatenate', 'gather', 'scatterAdd', 'dotGeneral', 'conv'] as const),
]

/** Counts every node of a graph, the bodies of calls included. */
export const countValues = (outputs: readonly Node[], into: Appearances): void => {
  for (const node of reachable(outputs)) {
    into[node.op]++
    if (node.op === 'call') countValues(node.attrs.definition.outputs, into)
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
      node.op === 'call' ? node.inputs.map(() => true) : applyVjp(new Tensor(node), node).map((g) => g !== null)
    node.inputs.forEach((x, i) => {
      if (arrives[i] === true && active.has(x) && isFloat(x.dtype)) reached.add(x)
    })
  }
}
