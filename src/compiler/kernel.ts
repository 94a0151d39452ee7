/**
 * The kernel IR: what a backend has to run. Nine kinds of steps, two of kernels that are made of several steps, and loops, which
 * have kernels of their own; a backend is one exhaustive switch over them.
 *
 * Kernels read and write numbered buffers of a plan through views. An elementwise body is a list of instructions over one linear
 * index, in which every operand is an earlier instruction: one evaluator, or one printer, serves all fused kernels.
 */
import type { DType } from '../graph/dtype.ts'
import type { Buffer } from './buffer.ts'
import type { ConvAttrs, ElementwiseOp } from '../graph/ops.ts'
import { rowMajor, type Shape } from '../graph/shape.ts'
import type { Reason } from './reason.ts'
import type { View } from './view.ts'

/** A view of a numbered buffer of the plan. */
export interface Operand {
  readonly buffer: number
  readonly view: View
  readonly dtype: DType
}

/** A step of a fused body: a load, a literal, an index, or an elementwise primitive of earlier steps. */
export type Instruction =
  | { readonly kind: 'load'; readonly from: Operand; readonly dtype: DType }
  | { readonly kind: 'literal'; readonly value: number; readonly dtype: DType }
  | { readonly kind: 'index'; readonly view: View; readonly dtype: DType }
  | { readonly kind: 'apply'; readonly op: ElementwiseOp; readonly inputs: readonly number[]; readonly dtype: DType }

/** Instructions over a linear index of `size` elements; the last one is the result. */
export interface Body {
  readonly size: number
  readonly instructions: readonly Instruction[]
}

/** What every kernel records about itself: what it computes, why it ends there, and what it costs. */
export interface KernelRecord {
  /** The buffer of its result; of several, the last instruction's. */
  readonly output: number
  readonly dtype: DType
  readonly computes: string
  readonly reason: Reason
  readonly flops: number
}

/** A buffer that a kernel writes. */
export interface Result {
  readonly buffer: number
  readonly dtype: DType
}

/** A further result of a body: the values of one of its instructions, an `apply`. */
export interface FurtherResult extends Result {
  readonly instruction: number
}

/** out[i] = body(i), and the values of some instructions on the way. */
export interface ElementwiseKernel extends KernelRecord {
  readonly kind: 'elementwise'
  readonly body: Body
  /** In the order of their instructions; absent where the body's result is the only one. */
  readonly further?: readonly FurtherResult[]
}

/**
 * What a contraction does to its result before it leaves it: an elementwise body over the output's linear index, in place. A load of the
 * kernel's own output is the accumulated value, rounded to its dtype as memory would hold it.
 */
export type Epilogue = Body

/** out[target(i)] = Σ or max of body(i); `target` has stride 0 along the reduced axes. */
export interface ReduceKernel extends KernelRecord {
  readonly kind: 'reduce'
  readonly operation: 'sum' | 'max'
  readonly body: Body
  readonly target: View
  readonly size: number
}

/**
 * out[b, m, n] = Σₖ x[b, m, k] · y[b, k, n]; each letter stands for any number of axes of the operand's view, and its index is linear over
 * them. The two lists of a pair have the same product, not always the same lengths.
 */
export interface GemmKernel extends KernelRecord {
  readonly kind: 'gemm'
  readonly x: Operand
  readonly y: Operand
  readonly axes: {
    readonly batch: AxisPair
    readonly contract: AxisPair
    readonly rows: readonly number[]
    readonly columns: readonly number[]
  }
  readonly epilogue?: Epilogue
}

type AxisPair = readonly [readonly number[], readonly number[]]

/** NHWC convolution with HWIO filters. */
export interface ConvKernel extends KernelRecord {
  readonly kind: 'conv'
  readonly x: Operand
  readonly filter: Operand
  readonly attrs: ConvAttrs
  readonly shape: readonly number[]
  readonly epilogue?: Epilogue
}

/** A part of an output, which has as many axes: its element (i₀, i₁, …) is the output's at startₐ + iₐ·strideₐ. */
export interface PlacedPart {
  readonly from: Operand
  readonly start: readonly number[]
  readonly stride: readonly number[]
}

/** Puts parts into a zeroed output of `shape`: pad and concatenate. No two parts have an element in common. */
export interface PlaceKernel extends KernelRecord {
  readonly kind: 'place'
  readonly parts: readonly PlacedPart[]
  readonly shape: Shape
}

/** out[o, i, r] = table[o, index[i], r]. */
export interface GatherKernel extends KernelRecord {
  readonly kind: 'gather'
  readonly table: Operand
  readonly index: Operand
  readonly extent: Extent
}

/** out[o, index[i], r] += updates[o, i, r]. */
export interface ScatterKernel extends KernelRecord {
  readonly kind: 'scatter'
  readonly updates: Operand
  readonly index: Operand
  readonly extent: Extent
}

/** Lengths before the indexed axis, of the axis, of the index, and behind the axis. */
export interface Extent {
  readonly outer: number
  readonly rows: number
  readonly picks: number
  readonly inner: number
}

/** Indices that sort the middle axis of [outer, length, inner]. */
export interface SortKernel extends KernelRecord {
  readonly kind: 'sort'
  readonly from: Operand
  readonly outer: number
  readonly length: number
  readonly inner: number
}

/** Running sums along the middle axis of [outer, length, inner], from its end where `reverse` says so. */
export interface CumsumKernel extends KernelRecord {
  readonly kind: 'cumsum'
  readonly from: Operand
  readonly outer: number
  readonly length: number
  readonly inner: number
  readonly reverse: boolean
}

/** A kernel that does one thing. */
export type Step =
  | ElementwiseKernel
  | ReduceKernel
  | GemmKernel
  | ConvKernel
  | PlaceKernel
  | GatherKernel
  | ScatterKernel
  | SortKernel
  | CumsumKernel

/** A step that may be a stage of a {@link RowsKernel}. */
export type Stage = ElementwiseKernel | ReduceKernel

/**
 * Stages that run one after the other over each row, and no row waits for another. Row i of a stage is the i-th of `rows` equal runs of its
 * linear index; it writes the i-th of as many equal runs of each result, and of what earlier stages write it reads no other. So a backend may
 * run whole stages, or rows, or some rows at a time, in any order.
 */
export interface RowsKernel extends KernelRecord {
  readonly kind: 'rows'
  readonly rows: number
  readonly stages: readonly Stage[]
}

/** Kernels of one structure, of which none needs what another writes: they may run side by side. */
export interface GroupKernel extends KernelRecord {
  readonly kind: 'group'
  readonly members: readonly Member[]
}

/** What a group consists of. */
export type Member = Step | RowsKernel

/** Shape and dtype of an argument or a result. */
export interface Slot {
  readonly shape: Shape
  readonly dtype: DType
}

/** Kernels that run one after the other over numbered buffers: a plan, or the body of a loop. */
export interface Routine {
  readonly arguments: readonly Slot[]
  readonly outputs: readonly Slot[]
  readonly buffers: readonly Buffer[]
  readonly kernels: readonly Kernel[]
  readonly arenaBytes: number
}

/** A carry of a loop: what the first turn reads, and where the last one writes. */
export interface Carry {
  readonly initial: Operand
  readonly last: Result
  /** Where every other turn writes, in bytes of the workspace; absent where a turn writes its result over what it reads. */
  readonly spare?: number
}

/** What a loop goes over, or what it stacks: turn `i` has what lies from `offset + i · step` on, in elements. */
export interface Strided extends Result {
  readonly offset: number
  readonly step: number
}

/**
 * Turns of one body, whose kernels are there once: from turn to turn its arguments and results lie elsewhere (turn.ts). The arguments are the
 * constants, the carries, the elements, and the literals; the results the carries of the next turn, and what is stacked.
 */
export interface LoopKernel extends KernelRecord {
  readonly kind: 'loop'
  readonly turns: number
  /** Whether the first turn has the last elements. */
  readonly reverse: boolean
  readonly body: Routine
  readonly constants: readonly Operand[]
  readonly carries: readonly Carry[]
  readonly elements: readonly Strided[]
  readonly literals: readonly Operand[]
  readonly stacked: readonly Strided[]
  /** A buffer for the temporaries of the body, at its begin, and for spare carries. */
  readonly workspace: Result
}

/** Any kernel. */
export type Kernel = Member | GroupKernel | LoopKernel

const knownLoads = new WeakMap<Body, readonly Operand[]>() // passes ask again and again, and bodies may be long

/** The loads of a body. */
export const loadsOf = (body: Body): readonly Operand[] => {
  const known = knownLoads.get(body)
  if (known !== undefined) return known
  const loads = body.instructions.flatMap((i) => (i.kind === 'load' ? [i.from] : []))
  knownLoads.set(body, loads)
  return loads
}

const epilogueLoads = ({ epilogue, output }: GemmKernel | ConvKernel): readonly Operand[] =>
  epilogue === undefined ? [] : loadsOf(epilogue).filter((from) => from.buffer !== output)

/** The steps of a kernel, in an order in which they may run one after the other; those of a loop's body are over buffers of their own. */
export const stepsOf = (kernel: Kernel): readonly Step[] => {
  switch (kernel.kind) {
    case 'loop':
      return []
    case 'rows':
      return kernel.stages
    case 'group':
      return kernel.members.flatMap(stepsOf)
    default:
      return [kernel]
  }
}

/** The buffers that a kernel writes. */
export const resultsOf = (kernel: Kernel): readonly Result[] => {
  if (kernel.kind === 'loop') return [...kernel.carries.map((c) => c.last), ...kernel.stacked, kernel.workspace]
  if (kernel.kind === 'rows' || kernel.kind === 'group') return stepsOf(kernel).flatMap(resultsOf)
  const last = { buffer: kernel.output, dtype: kernel.dtype }
  return kernel.kind === 'elementwise' && kernel.further !== undefined ? [...kernel.further, last] : [last]
}

/** What the stages read, but not of one another. */
const operandsOfStages = ({ stages }: RowsKernel): readonly Operand[] => {
  const inside = new Set(stages.flatMap(resultsOf).map(({ buffer }) => buffer))
  return stages.flatMap(operandsOf).filter(({ buffer }) => !inside.has(buffer))
}

/** What a loop goes over is read to the last element. */
const operandsOfLoop = ({ turns, constants, carries, elements, literals, body }: LoopKernel): readonly Operand[] => {
  const before = constants.length + carries.length
  const read = elements.map(({ buffer, dtype, offset, step }, i): Operand => {
    const shape = body.arguments[before + i]?.shape ?? []
    return { buffer, dtype, view: { offset, shape: [turns, ...shape], strides: [step, ...rowMajor(shape)] } }
  })
  return [...constants, ...carries.map((c) => c.initial), ...read, ...literals]
}

/** The operands that a kernel reads, each buffer possibly more than once. */
export const operandsOf = (kernel: Kernel): readonly Operand[] => {
  switch (kernel.kind) {
    case 'elementwise':
    case 'reduce':
      return loadsOf(kernel.body)
    case 'gemm':
      return [kernel.x, kernel.y, ...epilogueLoads(kernel)]
    case 'conv':
      return [kernel.x, kernel.filter, ...epilogueLoads(kernel)]
    case 'place':
      return kernel.parts.map((p) => p.from)
    case 'gather':
      return [kernel.table, kernel.index]
    case 'scatter':
      return [kernel.updates, kernel.index]
    case 'sort':
    case 'cumsum':
      return [kernel.from]
    case 'rows':
      return operandsOfStages(kernel)
    case 'group':
      return kernel.members.flatMap(operandsOf)
    case 'loop':
      return operandsOfLoop(kernel)
  }
}
