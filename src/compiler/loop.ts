/**
 * Loops: the body is compiled once, as a plan of its own, and the loop is one kernel that says where its values lie from turn to turn. What a
 * body keeps to itself lies at one place for all turns.
 */
import { at, product } from '../prelude/array.ts'
import { bytesPerElement } from '../graph/dtype.ts'
import type { Node, NodeOf } from '../graph/ops.ts'
import { rowMajor, sizeOf } from '../graph/shape.ts'
import { addBuffer, targetOf, temporary, type Lowering } from './access.ts'
import { alignedBytes, alignment } from './arena.ts'
import type { Buffer } from './buffer.ts'
import { flopsOf } from './cost.ts'
import type { Carry, LoopKernel, Operand, Result, Routine, Slot, Strided } from './kernel.ts'
import { denseOperand, operand } from './operand.ts'
import type { Plan } from './plan.ts'
import { turnOf, type Turn } from './turn.ts'
import { contiguous, isContiguous, type View } from './view.ts'

/** Whether what begins at so many elements begins where a buffer may: kernels read and write whole vectors, or words, past their last element. */
const isAligned = (elements: number, { dtype }: Node): boolean => (elements * bytesPerElement[dtype]) % alignment === 0

/** From one element of a stack to the next, so that each begins where a buffer may. */
const stepOf = ({ dtype, shape }: Node): number => {
  const each = alignment / bytesPerElement[dtype]
  return Math.ceil(product(shape.slice(1)) / each) * each
}

const inner = ({ shape, strides }: View): View => ({ offset: 0, shape: shape.slice(1), strides: strides.slice(1) })

/** What a loop goes over, where each element lies in one piece. */
const strided = (to: Lowering, node: Node): Strided => {
  const seen = operand(to, node)
  const { offset, strides } = seen.view
  const step = strides[0] ?? 0
  if (isContiguous(inner(seen.view)) && isAligned(offset, node) && isAligned(step, node))
    return { buffer: seen.buffer, dtype: node.dtype, offset, step }
  const wide = stepOf(node)
  if (wide === product(node.shape.slice(1)))
    return { buffer: denseOperand(to, node).buffer, dtype: node.dtype, offset: 0, step: wide }
  return { buffer: spread(to, node, wide), dtype: node.dtype, offset: 0, step: wide }
}

/** A copy whose elements lie further apart than they are long. */
const spread = (to: Lowering, node: Node, step: number): number => {
  const length = at(node.shape, 0)
  const placement = { kind: 'temporary', offset: 0 } as const
  const output = addBuffer(to, { dtype: node.dtype, length: length * step, placement })
  const view = contiguous([length, product(node.shape.slice(1))])
  to.kernels.push({
    kind: 'place',
    parts: [{ from: { ...denseOperand(to, node), view }, start: [0, 0], stride: [1, 1] }],
    shape: [length, step],
    output,
    dtype: node.dtype,
    computes: 'copy',
    reason: 'loop',
    flops: 0,
  })
  return output
}

/** Where a scan's stacked result is written; elements that are shorter lie apart, and whoever reads them sees them through a view. */
const stackedTarget = (to: Lowering, node: Node): Strided => {
  const step = stepOf(node)
  const size = product(node.shape.slice(1))
  const isDense = step === size
  const length = at(node.shape, 0) * step
  const buffer = isDense
    ? targetOf(to, node)
    : addBuffer(to, { dtype: node.dtype, length, placement: { kind: 'temporary', offset: 0 } })
  const strides = isDense ? rowMajor(node.shape) : [step, ...rowMajor(node.shape.slice(1))]
  to.access.set(node, { kind: 'buffer', buffer, view: { offset: 0, shape: node.shape, strides } })
  return { buffer, dtype: node.dtype, offset: 0, step }
}

/** The body with its literals as further arguments: they lie among those of the whole plan. */
const withoutLiterals = (plan: Plan): { readonly body: Routine; readonly literals: readonly Buffer[] } => {
  const literals = plan.buffers.filter(({ placement }) => placement.kind === 'literal')
  const before = plan.arguments.length
  const buffers = plan.buffers.map((buffer): Buffer => {
    const index = literals.indexOf(buffer)
    return index < 0 ? buffer : { ...buffer, placement: { kind: 'argument', index: before + index } }
  })
  const slots = literals.map(({ dtype, length }): Slot => ({ dtype, shape: [length] }))
  const { outputs, kernels, arenaBytes } = plan
  return { body: { arguments: [...plan.arguments, ...slots], outputs, buffers, kernels, arenaBytes }, literals }
}

const literalOperand = (to: Lowering, literal: Buffer): Operand => ({
  buffer: addBuffer(to, literal),
  view: contiguous([literal.length]),
  dtype: literal.dtype,
})

/** The carries of a loop, and the bytes of a workspace that begins with `arenaBytes` for the body. */
const carriesOf = (
  to: Lowering,
  { initial, constants, last }: Turn,
  plan: Plan,
): { readonly carries: readonly Carry[]; readonly bytes: number } => {
  let bytes = alignedBytes({ dtype: 'u8', length: plan.arenaBytes })
  const carries = initial.map((node, i): Carry => {
    const scan = last[i]
    const result = { buffer: scan === undefined ? temporary(to, node) : targetOf(to, scan), dtype: node.dtype }
    const carry = { initial: denseOperand(to, node), last: result }
    if (plan.overwrites.get(i) === constants.length + i) return carry
    const spare = bytes
    bytes += alignedBytes({ dtype: node.dtype, length: sizeOf(node.shape) })
    return { ...carry, spare }
  })
  return { carries, bytes }
}

/** The kernel of a loop, for all that the program asks of it: made with the first node of these. */
export const lowerScan = (to: Lowering, node: NodeOf<'scan'>): void => {
  if (to.access.has(node)) return
  const turn = turnOf(to.program.nodes, node)
  const first = turn.constants.length
  const plan = to.compileBody(turn, new Set(turn.initial.map((_, i) => first + i)))
  const { body, literals } = withoutLiterals(plan)
  const constants = turn.constants.map((x) => denseOperand(to, x))
  const elements = turn.elements.map((x) => strided(to, x))
  const { carries, bytes } = carriesOf(to, turn, plan)
  turn.last.forEach((scan, i) => {
    if (scan !== undefined)
      to.access.set(scan, { kind: 'buffer', buffer: at(carries, i).last.buffer, view: contiguous(scan.shape) })
  })
  const stacked = turn.stacked.map((scan) => stackedTarget(to, scan))
  const placement = { kind: 'temporary', offset: 0 } as const
  const workspace: Result = { buffer: addBuffer(to, { dtype: 'u8', length: bytes, placement }), dtype: 'u8' }
  const result = stacked.at(-1) ?? carries.at(-1)?.last ?? workspace
  const kernel: LoopKernel = {
    kind: 'loop',
    turns: turn.length,
    reverse: turn.reverse,
    body,
    constants,
    carries,
    elements,
    literals: literals.map((x) => literalOperand(to, x)),
    stacked,
    workspace,
    output: result.buffer,
    dtype: result.dtype,
    computes: `${turn.length} turns of ${body.kernels.length} kernels`,
    reason: 'loop',
    flops: turn.length * flopsOf(plan),
  }
  to.kernels.push(kernel)
}
