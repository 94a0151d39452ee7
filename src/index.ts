/**
 * fathom: tensors, random numbers, derivatives and devices. Modules, optimizers, models, diffusion, files, data and training have
 * entries of their own: `fathom/nn`, `fathom/optim`, `fathom/models`, `fathom/diffusion`, `fathom/io`, `fathom/data`, `fathom/train`.
 */
import { printGraph } from './graph/print.ts'
import type { Plan } from './compiler/plan.ts'
import { printPlan } from './compiler/print.ts'
import { Tensor } from './tensor/tensor.ts'
import { leaves } from './tensor/tree.ts'

export * from './autograd/index.ts'
export type { Passes } from './compiler/passes.ts'
export { bytesOf, flopsOf, memoryOf, type Plan } from './compiler/plan.ts'
export { showBytes, showFlops } from './compiler/print.ts'
export { type BackendOptions, type DeviceError } from './backends/registry.ts'
export type { DType, TypedArray } from './graph/dtype.ts'
export type { Shape } from './graph/shape.ts'
export { DTypeError, ShapeError, TraceError, UseAfterDonate } from './prelude/errors.ts'
export { call, checkpoint, customVjp } from './tensor/annotate.ts'
export * from './tensor/combine.ts'
export * from './tensor/convolution.ts'
export * from './tensor/create.ts'
export { open, type CompileOptions, type Compiled, type Device, type DeviceOptions } from './tensor/device.ts'
export * from './tensor/functions.ts'
export * from './tensor/random.ts'
export { isDifferentiable, Tensor, type Axes, type Operand, type Range } from './tensor/tensor.ts'
export * from './tensor/tree.ts'

/** A plan as a table of kernels, or the graph of every tensor in a tree, as text. */
export const print = (what: unknown): string =>
  isPlan(what) ? printPlan(what) : printGraph(leaves(what).map((x) => x.node))

const isPlan = (x: unknown): x is Plan =>
  typeof x === 'object' && x !== null && !(x instanceof Tensor) && 'kernels' in x && 'program' in x

/** The tensor, through which no gradient flows. */
export const stopGradient = (x: Tensor): Tensor => x.stopGradient()
