/** What is known while a program is lowered: how each node's values are reached, and the bodies made of them. */
import type { DType } from '../graph/dtype.ts'
import { isElementwise, type Node } from '../graph/ops.ts'
import { sizeOf } from '../graph/shape.ts'
import type { Buffer } from './buffer.ts'
import type { Program } from './canonicalise.ts'
import type { Fusion } from './fuse.ts'
import type { Body, Instruction, Kernel } from './kernel.ts'
import type { Limits } from './limits.ts'
import type { Plan } from './plan.ts'
import type { Turn } from './turn.ts'
import type { View } from './view.ts'

/**
 * How a node's values are reached: without memory, by their own address, or in a buffer through a view. The view's axes may be others than
 * the node's, where a reshape would need a copy: it has the same elements in the same linear order.
 */
export type Access =
  | { readonly kind: 'literal'; readonly value: number }
  | { readonly kind: 'index'; readonly view: View }
  | { readonly kind: 'buffer'; readonly buffer: number; readonly view: View }

/** Kernels and buffers as they are being made; the planner's licensed mutation. */
export interface Lowering {
  readonly program: Program
  readonly fusion: Fusion
  readonly limits: Limits
  /** Compiles the body of a loop, whose results may take the places of these parameters. */
  readonly compileBody: (turn: Turn, donated: ReadonlySet<number>) => Plan
  readonly buffers: Buffer[]
  readonly kernels: Kernel[]
  readonly access: Map<Node, Access>
  /** The output that a node's own buffer may be; others get copies. */
  readonly outputIndex: Map<Node, number>
}

/** A further buffer; its number. */
export const addBuffer = (to: Lowering, buffer: Buffer): number => to.buffers.push(buffer) - 1

/** A new temporary for the node's values; the planner gives it its place. */
export const temporary = (to: Lowering, { dtype, shape }: Node): number =>
  addBuffer(to, { dtype, length: sizeOf(shape), placement: { kind: 'temporary', offset: 0 } })

/** The buffer that a kernel for `node` writes: a result of the plan where the node is one, else a temporary. */
export const targetOf = (to: Lowering, node: Node): number => {
  const index = to.outputIndex.get(node)
  if (index === undefined) return temporary(to, node)
  return addBuffer(to, { dtype: node.dtype, length: sizeOf(node.shape), placement: { kind: 'output', index } })
}

/** The instruction that brings the values of an access into a body. */
export const instructionFor = (access: Access, dtype: DType): Instruction => {
  if (access.kind === 'literal') return { kind: 'literal', value: access.value, dtype }
  if (access.kind === 'index') return { kind: 'index', view: access.view, dtype }
  return { kind: 'load', from: { buffer: access.buffer, view: access.view, dtype }, dtype }
}

/** The access of a node that is not computed inside a kernel. */
export const accessOf = (to: Lowering, node: Node): Access => {
  const found = to.access.get(node)
  if (found === undefined) throw new Error(`lower: ${node.op} has no access`)
  return found
}

/** The body that computes `result`: nodes without an access are computed, what has one is loaded. */
export const bodyOf = (to: Lowering, result: Node): Body & { readonly names: readonly string[] } => {
  const instructions: Instruction[] = []
  const names: string[] = []
  const done = new Map<Node, number>()
  const members = new Set<Node>([result])
  for (const node of members) if (to.access.get(node) === undefined) for (const x of node.inputs) members.add(x)
  for (const node of [...members].toSorted((a, b) => a.id - b.id)) {
    const access = to.access.get(node)
    if (access !== undefined) done.set(node, instructions.push(instructionFor(access, node.dtype)) - 1)
    else if (node.op === 'reshape') done.set(node, done.get(node.inputs[0]) ?? 0)
    else if (isElementwise(node)) {
      const inputs = node.inputs.map((x) => done.get(x) ?? 0)
      done.set(node, instructions.push({ kind: 'apply', op: node.op, inputs, dtype: node.dtype }) - 1)
      names.push(node.op)
    } else throw new Error(`lower: ${node.op} is neither inside the kernel nor in memory`)
  }
  return { size: sizeOf(result.shape), instructions, names }
}
