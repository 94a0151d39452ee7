/** What functions over a body's elements have in common: their parameters, the pointers of the output and the leaves, and their steps. */
import { at, range } from '../../prelude/array.ts'
import type { Body, ElementwiseKernel } from '../../compiler/kernel.ts'
import { i32, set, type Expression, type Local, type Statement } from './assembler/code.ts'
import type { Function } from './assembler/module.ts'
import type { Domain } from './domain.ts'
import { constantStatements, emitter, fresh, keep, word, type Emitter } from './emitter.ts'
import type { Parameter } from './kernelCode.ts'
import { leavesOf, outputStep, startOf, stepOf, walkOf, type Walk } from './leaf.ts'

/** How the output and the leaves walk along an axis. */
export const walksAlong = ({ tracks }: Domain, axis: number): readonly Walk[] =>
  tracks.map(({ strides }) => walkOf(at(strides, axis)))

/** Steps of the output and the leaves along each axis, as the code counts them. */
export const stepsOf = ({ body, dtype }: ElementwiseKernel, { tracks }: Domain): readonly (readonly number[])[] => {
  const leaves = leavesOf(body)
  return tracks.map(({ strides }, k) =>
    strides.map((s) => (k === 0 ? outputStep(dtype, s) : stepOf(at(leaves, k - 1)[1], s))),
  )
}

/** Where the output and the leaves begin. */
export const startsOf = ({ body, dtype, output }: ElementwiseKernel, { tracks }: Domain): readonly Parameter[] => [
  { kind: 'buffer', buffer: output, offset: outputStep(dtype, at(tracks, 0).offset) },
  ...leavesOf(body).map(([, leaf], k) => startOf(leaf, at(tracks, k + 1).offset)),
]

/** What a function over the elements of a body begins with. */
export interface Opening {
  readonly e: Emitter
  readonly block: Local
  readonly first: Local
  readonly last: Local
  /** Of the output and of each leaf. */
  readonly pointers: readonly Local[]
  readonly steps: readonly Expression[]
}

/** Opens a function; the block begins with the pointers' starts and their steps along the axis of vectors. */
export const open = (body: Body, walks: readonly Walk[]): Opening => {
  const e = emitter()
  const parameter = (name: string): Local => ({ name, type: 'i32' })
  const [block, first, last] = [parameter('block'), parameter('first'), parameter('last')]
  const count = leavesOf(body).length + 1
  const pointers = range(count).map(() => fresh(e, 'pointer', 'i32'))
  const steps = walks.map((walk, k) => (walk === 'jumps' || k > 0 ? keep(e, 'step', word(block, count + k)) : i32(0)))
  return { e, block, first, last, pointers, steps }
}

/** Sets the pointers to where they begin. */
export const toStarts = ({ block, pointers }: Opening): readonly Statement[] =>
  pointers.map((pointer, k) => set(pointer, word(block, k)))

/** The function of an opening. */
export const closed = (name: string, { e, block, first, last }: Opening): Function => ({
  name,
  parameters: [block, first, last],
  body: [...constantStatements(e), ...e.statements],
})
