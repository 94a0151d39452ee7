/** Making nodes: the one constructor, which infers shape and dtype, and a counter that gives the program's order. */
import { inferRules, type Typing } from './infer.ts'
import type { Node, NodeOf, OpName, Ops } from './ops.ts'
import { inheritOrigin, noteOrigin } from './origin.ts'

/**
 * Nodes are numbered as they are made. The order of the numbers is the order of the program: inputs come before what uses them, the
 * forward pass before the backward pass. The scheduler keeps it. It identifies nodes and nothing else; no result depends on its value.
 */
const counter = { next: 0 }

/** The number that the next node gets: nodes made from now on have at least this one. */
export const nextNodeId = (): number => counter.next

const infer = <K extends OpName>(op: K, attrs: Ops[K]['attrs'], inputs: Ops[K]['inputs']): Typing =>
  inferRules[op](inputs, attrs)

/**
 * A new node of primitive `op`.
 *
 * @throws ShapeError, DTypeError when the inputs do not fit
 */
export const makeNode = <K extends OpName>(op: K, attrs: Ops[K]['attrs'], inputs: Ops[K]['inputs']): NodeOf<K> => {
  const { shape, dtype } = infer(op, attrs, inputs)
  // The compiler cannot relate a generic K to one member of the union; this is the only place where a node is put together.
  const node: unknown = { id: counter.next++, op, attrs, inputs, shape, dtype }
  noteOrigin(node as Node)
  return node as NodeOf<K>
}

/** A new node like `node` with these inputs, numbered now. */
export const rebuilt = (node: Node, inputs: readonly Node[]): Node => {
  // Which primitive it is does not matter here: attributes and inputs go on together, as they came.
  const { op, attrs } = node as unknown as NodeOf<'concatenate'>
  const made = makeNode(op, attrs, inputs)
  inheritOrigin(made, node)
  return made
}

/** `node` itself when the inputs are its own, else a copy with the new ones. */
export const withInputs = (node: Node, inputs: readonly Node[]): Node =>
  inputs.every((x, i) => x === node.inputs[i]) ? node : rebuilt(node, inputs)
