/** What a backend asks of kernels, and how much code a kernel is. */
import type { DType } from '../graph/dtype.ts'
import type { ElementwiseOp } from '../graph/ops.ts'
import type { Body } from './kernel.ts'

/** Bounds that every kernel keeps to. */
export interface Limits {
  /** Buffers that a kernel reads and writes together: the bindings of a WebGPU shader, of which every adapter has eight and most have ten. */
  readonly buffers: number
  /** Operations of a fused body, counted as additions ({@link operationsOf}). Code grows with them, and engines refuse what is too long. */
  readonly operations: number
}

/**
 * For backends that have no bounds of their own. Wider kernels would hold more pointers than a processor has registers. Code has a body up to
 * four times, and WebAssembly takes 50,000 locals a function; long before that compiling takes more time than another pass over memory
 * (800 sines of 2¹⁴ numbers with their gradient: first run 0.32 s with this bound, 0.40 s with 16,384, 0.85 s with 32,768; later ones 93 ms each).
 */
export const usualLimits: Limits = { buffers: 16, operations: 4096 }

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
