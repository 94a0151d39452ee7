/**
 * The primitive set: every operation that a graph can hold, with its attributes and its inputs, declared once as a type.
 *
 * The tables over it (inference, the interpreter, VJP, the code of each backend) are total: a primitive without a rule does not compile.
 * The set is closed under transposition: reduceSum/broadcast, pad/slice and gather/scatterAdd are dual pairs, and the
 * adjoints of dotGeneral and conv are again dotGeneral and conv.
 */
import type { DType, TypedArray } from './dtype.ts'
import type { Shape } from './shape.ts'

interface Op<Inputs extends readonly Node[], Attrs = Record<never, never>> {
  readonly inputs: Inputs
  readonly attrs: Attrs
}

type Leaf<Attrs> = Op<readonly [], Attrs & Typed>
type Unary<Attrs = Record<never, never>> = Op<readonly [Node], Attrs>
type Binary<Attrs = Record<never, never>> = Op<readonly [Node, Node], Attrs>

interface Typed {
  readonly shape: Shape
  readonly dtype: DType
}

/**
 * Where the values of a leaf are: in host memory, or in storage that a device owns. Values that the host has computed from those of another leaf
 * name it.
 */
export type Source =
  | { readonly kind: 'host'; readonly values: TypedArray; readonly from?: Node }
  | { readonly kind: 'device'; readonly storage: object }

/** Axes of a contraction: pairs of lists, for the left and the right operand. */
export interface DotAttrs {
  readonly contract: readonly [readonly number[], readonly number[]]
  readonly batch: readonly [readonly number[], readonly number[]]
  readonly dtype: DType
}

/** A convolution over the two middle axes of NHWC with HWIO filters; negative padding crops. */
export interface ConvAttrs {
  readonly stride: readonly [number, number]
  readonly padLow: readonly [number, number]
  readonly padHigh: readonly [number, number]
  readonly inputDilation: readonly [number, number]
  readonly filterDilation: readonly [number, number]
  readonly groups: number
  readonly dtype: DType
}

/**
 * A closed graph over its parameters: what a `call` means.
 *
 * `vjp`, when present, replaces the derivative of the definition: cotangents of the parameters from the call's inputs and the
 * cotangents of its outputs. `checkpoint` asks the backward pass to compute the definition again instead of keeping its values.
 */
export interface Definition {
  readonly name: string
  readonly parameters: readonly NodeOf<'parameter'>[]
  readonly outputs: readonly Node[]
  readonly checkpoint: boolean
  readonly vjp?: (inputs: readonly Node[], cotangents: readonly Node[]) => readonly (Node | null)[]
}

/**
 * A loop: a closed body over constants, carries and elements of what it goes over. A turn makes of the carries those of the next turn.
 *
 * What a loop computes is asked for node by node ({@link ScanResult}), so that its derivative can ask for values on the way of the very loop
 * that the forward pass runs; all that is asked of one loop with one list of inputs is computed in one go.
 */
export interface Loop {
  /** How many turns. */
  readonly length: number
  /** Whether the last elements come first; what is stacked stays in the order of the elements. */
  readonly reverse: boolean
  /** The same in every turn. */
  readonly constants: readonly NodeOf<'parameter'>[]
  readonly carries: readonly NodeOf<'parameter'>[]
  /** Element `i`, along axis 0, of what the loop goes over. */
  readonly elements: readonly NodeOf<'parameter'>[]
  /** Of each carry, its value in the next turn. */
  readonly next: readonly Node[]
}

/** What is asked of a loop: a carry behind the last turn, or a node of the body, of all turns, stacked along a new axis 0. */
export type ScanResult =
  | { readonly kind: 'last'; readonly carry: number }
  | { readonly kind: 'stacked'; readonly node: Node }

/** Name → inputs and attributes, a line a primitive. */
export interface Ops {
  // leaves
  readonly parameter: Leaf<{ readonly index: number }>
  readonly buffer: Leaf<{ readonly source: Source }>
  readonly constant: Leaf<{ readonly values: TypedArray }>
  readonly iota: Leaf<{ readonly axis: number }>
  // annotations
  readonly alias: Unary
  readonly stopGradient: Unary
  readonly barrier: Binary
  readonly call: Op<readonly Node[], { readonly definition: Definition; readonly output: number }>
  // loops: the inputs are the constants, the first carries, and what the loop goes over
  readonly scan: Op<readonly Node[], { readonly loop: Loop; readonly result: ScanResult }>
  // elementwise, one input
  readonly neg: Unary
  readonly exp: Unary
  readonly log: Unary
  readonly sqrt: Unary
  readonly sin: Unary
  readonly cos: Unary
  readonly tanh: Unary
  readonly logistic: Unary
  readonly erf: Unary
  readonly floor: Unary
  readonly not: Unary
  readonly cast: Unary<{ readonly dtype: DType }>
  readonly bitcast: Unary<{ readonly dtype: DType }>
  // elementwise, two inputs of one shape and dtype
  readonly add: Binary
  readonly mul: Binary
  readonly div: Binary
  readonly rem: Binary
  readonly max: Binary
  readonly and: Binary
  readonly or: Binary
  readonly xor: Binary
  readonly shiftLeft: Binary
  readonly shiftRight: Binary
  readonly less: Binary
  readonly equal: Binary
  readonly where: Op<readonly [Node, Node, Node]>
  // reduction and movement
  readonly reduceSum: Unary<{ readonly axes: readonly number[]; readonly dtype: DType }>
  readonly reduceMax: Unary<{ readonly axes: readonly number[] }>
  readonly cumsum: Unary<{ readonly axis: number; readonly reverse: boolean }>
  readonly broadcast: Unary<{ readonly shape: Shape; readonly axes: readonly number[] }>
  readonly reshape: Unary<{ readonly shape: Shape }>
  readonly transpose: Unary<{ readonly permutation: readonly number[] }>
  readonly reverse: Unary<{ readonly axes: readonly number[] }>
  readonly pad: Unary<{
    readonly low: readonly number[]
    readonly high: readonly number[]
    readonly interior: readonly number[]
  }>
  readonly slice: Unary<{
    readonly start: readonly number[]
    readonly limit: readonly number[]
    readonly stride: readonly number[]
  }>
  readonly concatenate: Op<readonly Node[], { readonly axis: number }>
  // indexing
  readonly gather: Binary<{ readonly axis: number }>
  readonly scatterAdd: Binary<{ readonly axis: number; readonly size: number }>
  readonly argsort: Unary<{ readonly axis: number }>
  // contraction
  readonly dotGeneral: Binary<DotAttrs>
  readonly conv: Binary<ConvAttrs>
}

/** The name of a primitive. */
export type OpName = keyof Ops

/** An immutable node of the graph whose primitive is one of `K`. */
export type NodeOf<K extends OpName> = {
  readonly [P in K]: {
    readonly id: number
    readonly op: P
    readonly attrs: Ops[P]['attrs']
    readonly inputs: Ops[P]['inputs']
    readonly shape: Shape
    readonly dtype: DType
  }
}[K]

/** Any node. */
export type Node = NodeOf<OpName>

/** The elementwise primitives: output `i` depends on the inputs' elements `i` alone. */
export const elementwiseOps = [
  ...([
    'neg',
    'exp',
    'log',
    'sqrt',
    'sin',
    'cos',
    'tanh',
    'logistic',
    'erf',
    'floor',
    'not',
    'cast',
    'bitcast',
  ] as const),
  ...([
    'add',
    'mul',
    'div',
    'rem',
    'max',
    'and',
    'or',
    'xor',
    'shiftLeft',
    'shiftRight',
    'less',
    'equal',
    'where',
  ] as const),
] as const

/** The name of an elementwise primitive. */
export type ElementwiseOp = (typeof elementwiseOps)[number]

const elementwise: ReadonlySet<string> = new Set(elementwiseOps)

/** Whether the node is elementwise. */
export const isElementwise = (node: Node): node is NodeOf<ElementwiseOp> => elementwise.has(node.op)
