/**
 * fathom: tensors, random numbers, derivatives and devices. Modules, optimizers, models, diffusion, files, data and training have
 * entries of their own: `fathom/nn` (and `fathom/nn/init`), `fathom/optim`, `fathom/models`, `fathom/diffusion`, `fathom/io`, `fathom/data`, `fathom/evaluation`, `fathom/train`.
 *
 * @module fathom
 */
import { printGraph } from './graph/print.ts'
import type { Plan } from './compiler/plan.ts'
import { printPlan } from './compiler/print.ts'
import { Tensor } from './tensor/tensor.ts'
import { leaves } from './tensor/tree.ts'

export * from './autograd/index.ts'
export type { Passes } from './compiler/passes.ts'
export { bytesOf, flopsOf, memoryOf } from './compiler/cost.ts'
export type { KernelChoices } from './compiler/choices.ts'
export type { Plan } from './compiler/plan.ts'
export { showBytes, showFlops } from './compiler/print.ts'
export { profileRows, type MachinePeak, type Profile, type ProfileRow } from './compiler/profile.ts'
export type { Check, Choices, Json } from './backends/backend.ts'
export type {
  BackendName,
  CommonOptions,
  CpuOptions,
  OptionsByName,
  OptionsOf,
  WasmOptions,
  WebgpuOptions,
} from './backends/options.ts'
export { type DeviceError } from './backends/registry.ts'
export type { DType, TypedArray } from './graph/dtype.ts'
export type { Shape } from './graph/shape.ts'
export {
  DeviceLost,
  DTypeError,
  NonFiniteError,
  OutOfMemory,
  ShapeError,
  TraceError,
  UseAfterDonate,
  UseAfterRelease,
} from './prelude/errors.ts'
export * from './tensor/activations.ts'
export { call, checkpoint, customVjp } from './tensor/annotate.ts'
export * from './tensor/attention.ts'
export * from './tensor/combine.ts'
export * from './tensor/comparisons.ts'
export * from './tensor/contractions.ts'
export * from './tensor/convolution.ts'
export type { ConvPadding, ConvPaddingMode } from './tensor/convPadding.ts'
export * from './tensor/create.ts'
export * from './tensor/cumsum.ts'
export * from './tensor/exponentialUnits.ts'
export * from './tensor/gatedUnits.ts'
export * from './tensor/gridSample.ts'
export * from './tensor/hardActivations.ts'
export * from './tensor/linalg/index.ts'
export * from './tensor/cumulative.ts'
export type { Compiled, CompileOptions, Given } from './tensor/compiled.ts'
export {
  open,
  openDevice,
  type Device,
  type DeviceHabits,
  type DeviceOptions,
  type EveryDeviceOptions,
  type Opening,
} from './tensor/device.ts'
export * from './tensor/division.ts'
export * from './tensor/dynamicSlice.ts'
export * from './tensor/hyperbolic.ts'
export * from './tensor/indexing.ts'
export type { TensorJson } from './tensor/inspect.ts'
export * from './tensor/logarithms.ts'
export * from './tensor/movement.ts'
export type { Nested } from './tensor/nested.ts'
export * from './tensor/norms.ts'
export * from './tensor/orders.ts'
export type { Elements, ReadTree } from './tensor/reading.ts'
export * from './tensor/padding.ts'
export { pair, type Pair } from './tensor/pair.ts'
export * from './tensor/pooling.ts'
export type { PoolOptions } from './tensor/poolingWindows.ts'
export * from './tensor/powers.ts'
export * from './tensor/random.ts'
export * from './tensor/resampling.ts'
export * from './tensor/resizing.ts'
export { scan, type ScanOptions } from './tensor/scan.ts'
export { whileLoop, type WhileLoop } from './tensor/whileLoop.ts'
export type { Scope } from './tensor/scope.ts'
export * from './tensor/softmax.ts'
export { precisions, withPrecision, type Precision } from './tensor/withPrecision.ts'
export type { Axes } from './tensor/axes.ts'
export { isDifferentiable, Tensor, type Operand, type SliceBounds } from './tensor/tensor.ts'
export { signature } from './tensor/treedef.ts'
export { mergeTrees, partitionTree, type TreePart } from './tensor/partition.ts'
export * from './tensor/tree.ts'
export * from './tensor/triangles.ts'
export * from './tensor/trigonometry.ts'
export * from './tensor/variance.ts'

/**
 * A plan as a table of kernels, or the graph of every tensor in a tree, as text.
 *
 * @example
 * ```ts
 * import { print, tensor, type Tensor } from 'fathom'
 *
 * const x = tensor([1, 2, 3])
 * print(x.mul(2).sum()) // =>
 * // %0 = buffer (data) : f32[3]
 * // %1 = constant (2) : f32[]
 * // %2 = broadcast %1 (axes [0]) : f32[3]
 * // %3 = mul %0 %2 : f32[3]
 * // %4 = reduceSum %3 (axes [0]) : f32[]
 * // return %4
 * const plan = device.compile((x: Tensor) => x.mul(2).exp()).plan(x)
 * print(plan) // =>
 * // kind         writes      computes  reads       work    traffic  ends because
 * // elementwise  out0:f32×3  mul exp   reads arg0  6 FLOP  24 B     output
 * // 1 kernels · 6 FLOP · arguments 12 B · outputs 12 B · arena 0 B
 * ```
 */
export const print = (what: unknown): string =>
  isPlan(what) ? printPlan(what) : printGraph(leaves(what).map((x) => x.node))

const isPlan = (x: unknown): x is Plan =>
  typeof x === 'object' && x !== null && !(x instanceof Tensor) && 'kernels' in x && 'program' in x

/**
 * The tensor, through which no gradient flows.
 *
 * @example
 * ```ts
 * import { grad, stopGradient, tensor, type Tensor } from 'fathom'
 *
 * const f = (x: Tensor): Tensor => x.mul(stopGradient(x)).sum()
 * f(tensor([3, 4])) // => 25
 * grad(f)(tensor([3, 4])) // => [3, 4]
 * ```
 */
export const stopGradient = (x: Tensor): Tensor => x.stopGradient()
