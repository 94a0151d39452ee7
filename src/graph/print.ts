/** A graph as text: one line a node, in the order of the program. */
import { at } from '../prelude/array.ts'
import { decodeHalf } from './half.ts'
import type { Node, NodeOf, OpName } from './ops.ts'
import { showShape } from './shape.ts'
import { reachable } from './traverse.ts'

type Showers = { readonly [K in OpName]?: (node: Extract<Node, { readonly op: K }>) => string }

const oneValue = ({ dtype, attrs }: NodeOf<'constant'>): string =>
  String(dtype === 'f16' ? decodeHalf(attrs.values[0] ?? 0) : attrs.values[0])

/** Attributes that say more than the shape does; what is missing here prints as JSON. */
const showers: Showers = {
  parameter: (n) => `argument ${n.attrs.index}`,
  constant: (n) => (n.attrs.values.length === 1 ? oneValue(n) : `${n.attrs.values.length} values`),
  buffer: () => 'data',
  call: (n) => `${n.attrs.definition.name}${n.attrs.definition.outputs.length > 1 ? ` → ${n.attrs.output}` : ''}`,
  scan: ({ attrs: { loop, result } }) =>
    `${loop.length} turns${loop.reverse ? ' backwards' : ''} → ${result.kind === 'last' ? `carry ${result.carry}` : 'stacked'}`,
  broadcast: (n) => `axes ${showShape(n.attrs.axes)}`,
  reduceSum: (n) => `axes ${showShape(n.attrs.axes)}`,
  reshape: () => '',
  cast: () => '',
  iota: (n) => `axis ${n.attrs.axis}`,
}

const attributes = (node: Node): string => {
  const shower: ((node: never) => string) | undefined = showers[node.op]
  const text =
    shower === undefined ? JSON.stringify(node.attrs).slice(1, -1).replaceAll('"', '') : shower(node as never)
  return text === '' ? '' : ` (${text})`
}

/** The graph that computes `outputs`: `%2 = mul %0 %1 : f32[2,3]`. */
export const printGraph = (outputs: readonly Node[]): string => {
  const nodes = reachable(outputs)
  const names = new Map(nodes.map((n, i) => [n, `%${i}`]))
  const name = (n: Node): string => names.get(n) ?? '?'
  const lines = nodes.map(
    (n, i) =>
      `${name(at(nodes, i))} = ${[n.op, ...n.inputs.map(name)].join(' ')}${attributes(n)} : ${n.dtype}${showShape(n.shape)}`,
  )
  return [...lines, `return ${outputs.map(name).join(', ')}`].join('\n')
}
