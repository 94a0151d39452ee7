/** What functions over a body's elements have in common: their parameters, the pointers of the outputs and the leaves, and their steps. */
import { at, range } from '../../../prelude/array.ts'
import type { DType } from '../../../graph/dtype.ts'
import type { Body, ElementwiseKernel } from '../../../compiler/kernel.ts'
import { set, type Expression, type Local, type Statement } from '../assembler/code.ts'
import type { Function } from '../assembler/module.ts'
import type { Domain } from '../../../compiler/domain.ts'
import { constantStatements, emitter, fresh, keep, word, type Emitter } from './emitter.ts'
import type { Parameter } from './kernelCode.ts'
import { leavesOf, outputStep, startOf, stepOf, structureOf, walkOf, type Walk } from './leaf.ts'

/** What a kernel writes: the values of an instruction, into a buffer. */
export interface Output {
  readonly buffer: number
  readonly dtype: DType
  readonly instruction: number
}

/** A body with its outputs. */
export interface Written {
  readonly body: Body
  readonly outputs: readonly Output[]
}

/** The kernel's outputs, the body's own first. */
export const writtenBy = ({ body, output, dtype, further = [] }: ElementwiseKernel): Written => ({
  body,
  outputs: [{ buffer: output, dtype, instruction: body.instructions.length - 1 }, ...further],
})

/** The structure of a body with its outputs, for the key of its function. */
export const structureOfWritten = ({ body, outputs }: Written): string =>
  `${outputs.map((o) => `${o.instruction}:${o.dtype}`).join()} ${structureOf(body)}`

/** How the outputs and the leaves walk along an axis. */
export const walksAlong = ({ tracks }: Domain, axis: number): readonly Walk[] =>
  tracks.map(({ strides }) => walkOf(at(strides, axis)))

/** Steps of the outputs and the leaves along each axis, as the code counts them. */
export const stepsOf = ({ body, outputs }: Written, { tracks }: Domain): readonly (readonly number[])[] => {
  const leaves = leavesOf(body)
  const count = outputs.length
  return tracks.map(({ strides }, k) =>
    strides.map((s) => (k < count ? outputStep(at(outputs, k).dtype, s) : stepOf(at(leaves, k - count)[1], s))),
  )
}

/** Where the outputs and the leaves begin. */
export const startsOf = ({ body, outputs }: Written, { tracks }: Domain): readonly Parameter[] => [
  ...outputs.map(({ buffer, dtype }, k): Parameter => ({
    kind: 'buffer',
    buffer,
    offset: outputStep(dtype, at(tracks, k).offset),
  })),
  ...leavesOf(body).map(([, leaf], k) => startOf(leaf, at(tracks, outputs.length + k).offset)),
]

/** What a function over the elements of a body begins with. */
export interface Opening {
  readonly e: Emitter
  readonly block: Local
  readonly first: Local
  readonly last: Local
  /** Of the outputs, then of the leaves. */
  readonly pointers: readonly Local[]
  readonly steps: readonly Expression[]
}

/**
 * Opens a function; the block begins with the pointers' starts and their steps along the axis of vectors.
 *
 * @param walks of the outputs and the leaves along that axis
 */
export const open = (walks: readonly Walk[]): Opening => {
  const e = emitter()
  const parameter = (name: string): Local => ({ name, type: 'i32' })
  const [block, first, last] = [parameter('block'), parameter('first'), parameter('last')]
  const count = walks.length
  const pointers = range(count).map(() => fresh(e, 'pointer', 'i32'))
  const steps = range(count).map((k) => keep(e, 'step', word(block, count + k)))
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
