/** What a backend asks of kernels, whether a kernel keeps to it, and how much code a kernel is. */
import { at } from '../prelude/array.ts'
import type { DType } from '../graph/dtype.ts'
import type { ElementwiseOp, Node } from '../graph/ops.ts'
import { memoryKey, type Buffer } from './buffer.ts'
import type { Body } from './kernel.ts'

/** Bounds that every kernel keeps to. */
export interface Limits {
  /** Buffers that a kernel reads and writes together: each is a pointer. At least 4, for an operation of three operands and its result. */
  readonly buffers: number
  /**
   * Pieces of memory in which these buffers lie, for a backend that binds each piece to the kernel: a WebGPU shader has eight bindings on every
   * adapter, and ten on most. All temporaries lie in one, the arena; all literals in one; an argument or an output is one of its own. At least 5.
   */
  readonly memories: number
  /** Operations of a fused body, counted as additions ({@link operationsOf}). Code grows with them, and engines refuse what is too long. */
  readonly operations: number
  /** Which rows may be taken through several stages by one kernel: rows.ts. */
  readonly rows: RowLimits
}

/** How many stages, and how long rows may be, in elements of the stage that has most. */
export interface RowLimits {
  readonly stages: number
  /** So many rows are enough for all that work side by side. */
  readonly few: number
  /** A row, where there are enough. */
  readonly longest: number
  /** So much one worker does alone: all rows together, where there are few; and rows that stages do not need longer are not made longer. */
  readonly small: number
}

/**
 * For backends that have no bounds of their own. Wider kernels would hold more pointers than a processor has registers. Code has a body up to
 * four times, and WebAssembly takes 50,000 locals a function; long before that compiling takes more time than another pass over memory
 * (800 sines of 2¹⁴ numbers with their gradient: first run 0.32 s with this bound, 0.40 s with 16,384, 0.85 s with 32,768; later ones 93 ms each).
 * Rows of 2¹⁸ f32 are a megabyte, of which a core's own cache holds most; what is smaller than 2¹³ elements together one core does alone anyway.
 */
export const usualLimits: Limits = {
  buffers: 16,
  memories: Infinity,
  operations: 4096,
  rows: { stages: 12, few: 8, longest: 2 ** 18, small: 2 ** 13 },
}

/** Whether a kernel that touches these buffers keeps to the bounds. @param besides pieces of memory that it may touch besides */
const keepsTo = <B>(
  { buffers, memories }: Limits,
  touched: ReadonlySet<B>,
  memoryOf: (buffer: B) => unknown,
  besides: readonly unknown[] = [],
): boolean => {
  if (touched.size > buffers) return false
  if (touched.size + besides.length <= memories) return true
  return new Set([...besides, ...[...touched].map(memoryOf)]).size <= memories
}

/** Whether kernels over these buffers of a plan keep to the bounds, by the buffers that they touch. */
export const boundsOfBuffers =
  (buffers: readonly Buffer[], limits: Limits) =>
  (touched: Iterable<number>): boolean =>
    keepsTo(limits, new Set(touched), (buffer) => memoryKey(at(buffers, buffer)))

/** The node whose buffer the values of a node are reached in, if nothing is copied. */
const sourceOf = (node: Node): Node => {
  let source = node
  while (['reshape', 'transpose', 'broadcast', 'slice', 'reverse', 'barrier'].includes(source.op)) {
    const [input] = source.inputs
    if (input === undefined) break
    source = input
  }
  return source
}

/** The piece of memory in which the values of a node will lie. @param outputs of the program */
export const memoryOfNode = (node: Node, outputs: ReadonlySet<Node>): Node | 'literals' | 'arena' => {
  const source = sourceOf(node)
  if (source.op === 'parameter' || outputs.has(source)) return source
  return source.op === 'constant' ? 'literals' : 'arena'
}

/** Whether a kernel keeps to the bounds, by its root and the nodes that it loads: before there are buffers. What it loads may be copied to the arena. */
export type NodeBounds = (root: Node, loads: Iterable<Node>) => boolean

/** The bounds of kernels of a program with these outputs. */
export const boundsOfNodes =
  (outputs: ReadonlySet<Node>, limits: Limits): NodeBounds =>
  (root, loads) =>
    keepsTo(limits, new Set([root, ...loads]), (node) => memoryOfNode(node, outputs), ['arena'])

/** Instructions of functions that are polynomials, as vector code; what is not here is one or two. */
const weights: { readonly [K in ElementwiseOp]?: number } = {
  exp: 35,
  log: 39,
  sin: 151,
  cos: 150,
  tanh: 57,
  logistic: 40,
  erf: 69,
  div: 2, // of integers more, below
  rem: 20,
  shiftLeft: 5,
  shiftRight: 20,
  cast: 5,
}

/** Rounding to a half, and dividing whole numbers through doubles. */
const [halfWeight, wholeDivision] = [9, 16]

/** How much code an operation with a result of `dtype` is: an addition of floats is 1. */
export const operationsOf = (op: ElementwiseOp, dtype: DType): number => {
  const isWhole = dtype === 'i32' || dtype === 'u32' || dtype === 'u8'
  return (op === 'div' && isWhole ? wholeDivision : (weights[op] ?? 1)) + (dtype === 'f16' ? halfWeight : 0)
}

/** A load with its pointer and its steps. */
const loadWeight = 4

/** How much code a body is. */
export const operationsIn = ({ instructions }: Body): number =>
  instructions.reduce(
    (sum, i) => sum + (i.kind === 'apply' ? operationsOf(i.op, i.dtype) : i.kind === 'literal' ? 1 : loadWeight),
    0,
  )
