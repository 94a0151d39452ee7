/** Epilogues: what a contraction does to its result before it leaves it. */
import fc from 'fast-check'
import { contiguous, type View } from '../../src/compiler/view.ts'
import { sizeOf, type Shape } from '../../src/graph/shape.ts'
import type { Epilogue, Instruction } from '../../src/compiler/kernel.ts'
import { viewOf, type Viewed } from './views.ts'

const load = (buffer: number, view: View): Instruction => ({
  kind: 'load',
  from: { buffer, view, dtype: 'f32' },
  dtype: 'f32',
})

const apply = (op: 'add' | 'mul' | 'max', ...inputs: readonly number[]): Instruction => ({
  kind: 'apply',
  op,
  inputs,
  dtype: 'f32',
})

/** max(result · scale + shift, result), over views of buffers `first` and `first + 1`; `output` is the contraction's own. */
export const scaledAndShifted = (output: number, first: number, scale: View, shift: View): Epilogue => ({
  size: sizeOf(scale.shape),
  instructions: [
    load(output, contiguous([sizeOf(scale.shape)])),
    load(first, scale),
    load(first + 1, shift),
    apply('mul', 0, 1),
    apply('add', 3, 2),
    apply('max', 4, 0),
  ],
})

/** Any two views of an output's shape, some axes repeated. */
export const twoViews = (shape: Shape): fc.Arbitrary<readonly [Viewed, Viewed]> => {
  const one = fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }).chain((repeated) =>
    viewOf(shape.map((n, a) => (repeated[a] === true ? 1 : n))).map(({ view, length }) => ({
      view: { ...view, shape, strides: view.strides.map((s, a) => (repeated[a] === true ? 0 : s)) },
      length,
    })),
  )
  return fc.tuple(one, one)
}
