/**
 * Elementwise kernels and reductions one element at a time: for every dtype and every primitive, where there is no vector code. Results have
 * cpu's bits, but for functions that vector code computes its own way.
 *
 * Operands whose axes cross (a 4×6 seen as 3×8 after a transpose) are reached from the linear index, by division.
 */
import { at, product, range } from '../../../prelude/array.ts'
import { bytesPerElement, type DType } from '../../../graph/dtype.ts'
import type { Body, ElementwiseKernel, ReduceKernel } from '../../../compiler/kernel.ts'
import { nestOf } from '../../../compiler/nest.ts'
import { coalesce, contiguous, type View } from '../../../compiler/view.ts'
import type { Expression } from '../assembler/code.ts'
import { block, each, inBuffer, listOf, word, words, type Field, type Parameter } from '../emit/block.ts'
import { leavesOf, structureOf, viewOf, type Leaf } from '../emit/leaf.ts'
import { codeLater, phase, type Phase } from '../emit/kernelCode.ts'
import type { Crossing, ReachStructure, Reducing, Writing } from './scalarCode.ts'
import { nestField, nestNumbers, segment, type Cursor } from './nestWords.ts'

/** How a leaf is reached: as a cursor of the nest, or by its own axes from the linear index. */
interface Reach {
  readonly cursors: readonly Cursor[]
  readonly lengths: readonly number[]
  /** Undefined where all leaves are cursors. */
  readonly crossing: readonly View[] | undefined
}

const sizeOfStep = (leaf: Leaf): number => (leaf.kind === 'load' ? bytesPerElement[leaf.dtype] : 1)

const startOf = (leaf: Leaf): Parameter =>
  leaf.kind === 'load'
    ? inBuffer(leaf.from.buffer, bytesPerElement[leaf.dtype] * leaf.from.view.offset)
    : leaf.view.offset

/** The nest of `first` and the leaves; where they cross, that of `first` and the linear index, from which the leaves are then reached. */
const reachOf = (body: Body, first: View, start: Cursor['start'], step: number): Reach => {
  const leaves = leavesOf(body).map(([, leaf]) => leaf)
  const views = leaves.map(viewOf)
  const together = nestOf(body.size, [first, ...views])
  const nest = together ?? nestOf(body.size, [first, contiguous([body.size])])
  if (nest === undefined) throw new Error('wasm: a view crosses its own linear index')
  const [own = [], ...others] = nest.strides
  const target: Cursor = { start, strides: own.map((s) => s * step) }
  if (together === undefined)
    return {
      lengths: nest.lengths,
      cursors: [target, { start: 0, strides: at(others, 0) }],
      crossing: views.map(coalesce),
    }
  const moving = leaves.map((leaf, k): Cursor => ({
    start: startOf(leaf),
    strides: at(others, k).map((s) => s * sizeOfStep(leaf)),
  }))
  return { lengths: nest.lengths, cursors: [target, ...moving], crossing: undefined }
}

const crossingNumbers = (body: Body, { crossing }: Reach): Crossing<Parameter> =>
  (crossing ?? []).map((view, k) => {
    const [, leaf] = at(leavesOf(body), k)
    const axes = view.shape.map((length, a) => ({
      step: product(view.shape.slice(a + 1)),
      length,
      stride: at(view.strides, a) * sizeOfStep(leaf),
    }))
    return { start: startOf(leaf), axes }
  })

const structureOfReach = ({ cursors, lengths, crossing }: Reach): ReachStructure => ({
  cursors: cursors.length,
  axes: lengths.length,
  crossing: crossing?.map((view) => view.shape.length),
})

/** The words of how leaves are reached. */
const reachFields = ({ cursors, axes, crossing }: ReachStructure) => {
  const own: Field<Crossing<Parameter>, Crossing<Expression>> = each(
    (crossing ?? []).map((count) =>
      block({ start: word, axes: listOf(count, block(words('step', 'length', 'stride'))) }),
    ),
  )
  return { nest: nestField(cursors, axes), crossing: own }
}

/** Its functions are written by `writeScalar`. */
export const elementwiseCode = codeLater<Writing>()('scalar', ({ reach }) =>
  block({ perRow: word, ...reachFields(reach) }),
)

/** At least one axis: a single element is a row of one. */
const withAxis = (reach: Reach): Reach =>
  reach.lengths.length > 0
    ? reach
    : { ...reach, lengths: [1], cursors: reach.cursors.map((c) => ({ ...c, strides: [0] })) }

/** out[window(i)] = body(i), one element after the other. */
export const scalarInto = (body: Body, dtype: DType, output: number, window: View): Phase => {
  const step = bytesPerElement[dtype]
  const target = inBuffer(output, step * window.offset)
  const reach = withAxis(reachOf(body, window, target, step))
  const { lengths } = reach
  const length = at(lengths, lengths.length - 1)
  const perRow = Math.ceil(length / segment)
  return phase(
    elementwiseCode,
    { dtype, reach: structureOfReach(reach), body: structureOf(body) },
    { perRow, nest: nestNumbers(reach.cursors, lengths), crossing: crossingNumbers(body, reach) },
    { units: (body.size / length) * perRow, grain: Math.max(1, Math.ceil(segment / length)) },
  )
}

/** out[i] = body(i), one element after the other. */
export const scalarElementwise = ({ body, dtype, output }: ElementwiseKernel): Phase =>
  scalarInto(body, dtype, output, contiguous([body.size]))

/** Its functions are written by `writeScalarReduce`. */
export const reduceCode = codeLater<Reducing>()('scalar reduce', ({ reach }) => block(reachFields(reach)))

/** out[target(i)] = Σ or max of body(i): a unit is one result, summed in f64 in the order of the linear index, and rounded once. */
export const scalarReduce = (kernel: ReduceKernel): Phase => {
  const { body, target, size, output, dtype, operation } = kernel
  const start = inBuffer(output)
  const bytes = bytesPerElement[dtype]
  const reach = reachOf(body, target, start, bytes)
  const { strides } = at(reach.cursors, 0)
  return phase(
    reduceCode,
    {
      operation,
      dtype,
      kept: range(reach.lengths.length).filter((axis) => at(strides, axis) !== 0),
      reach: structureOfReach(reach),
      body: structureOf(body),
    },
    { nest: nestNumbers(reach.cursors, reach.lengths), crossing: crossingNumbers(body, reach) },
    { units: size, grain: Math.max(1, Math.ceil((segment * size) / body.size)) },
  )
}
