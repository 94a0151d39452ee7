/**
 * How functions of phases begin. All go over a range of units and read a block of parameters; those over a body's elements have pointers of its
 * outputs and leaves, and their steps along the axis of vectors.
 */
import { at } from '../../../prelude/array.ts'
import type { DType } from '../../../graph/dtype.ts'
import type { Body, ElementwiseKernel } from '../../../compiler/kernel.ts'
import { countTo, get, set, type Expression, type Local, type Statement } from '../assembler/code.ts'
import type { FunctionDefinition } from '../assembler/module.ts'
import type { Domain } from '../../../compiler/domain.ts'
import { inBuffer, list, type Parameter } from './block.ts'
import { constantStatements, emitter, fresh, inside, keep, type Emitter } from './emitter.ts'
import { leavesOf, outputStep, startOf, stepOf, structureOf, walkOf, type BodyStructure, type Walk } from './leaf.ts'

/** A function while it is written: what it reads from its block, and the range of units that it is called for. */
export interface Unit<Read> {
  readonly e: Emitter
  readonly words: Read
  readonly first: Local
  readonly last: Local
}

/** The parameters of every function. */
const unitParameters = (): readonly [block: Local, first: Local, last: Local] => [
  { name: 'block', type: 'i32' },
  { name: 'first', type: 'i32' },
  { name: 'last', type: 'i32' },
]

/** A function over units. */
export const unitFunction = <Read>(
  name: string,
  read: (block: Local) => Read,
  write: (unit: Unit<Read>) => void,
): FunctionDefinition => {
  const [pointer, first, last] = unitParameters()
  const e = emitter()
  write({ e, words: read(pointer), first, last })
  return { name, parameters: [pointer, first, last], body: [...constantStatements(e), ...e.statements] }
}

/** Writes what is done for each unit; `first` is the unit while it is done. */
export const eachUnit = (
  { e, first, last }: Pick<Unit<unknown>, 'e' | 'first' | 'last'>,
  write: (turn: Emitter) => void,
): void => {
  const turn = inside(e)
  write(turn)
  e.statements.push(countTo(first, get(last), 1, turn.statements))
}

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

/** A body with its outputs, as code knows it. */
export interface WrittenStructure {
  readonly body: BodyStructure
  readonly outputs: readonly Omit<Output, 'buffer'>[]
}

/** The structure of a body with its outputs. */
export const structureOfWritten = ({ body, outputs }: Written): WrittenStructure => ({
  outputs: outputs.map(({ dtype, instruction }) => ({ dtype, instruction })),
  body: structureOf(body),
})

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
  ...outputs.map(({ buffer, dtype }, k) => inBuffer(buffer, outputStep(dtype, at(tracks, k).offset))),
  ...leavesOf(body).map(([, leaf], k) => startOf(leaf, at(tracks, outputs.length + k).offset)),
]

/** The words of pointers and their steps along the axis of vectors: of the outputs, then of the leaves. */
export const pointerFields = (
  pointers: number,
): { readonly starts: ReturnType<typeof list>; readonly steps: ReturnType<typeof list> } => ({
  starts: list(pointers),
  steps: list(pointers),
})

/** What a function over the elements of a body walks with: of the outputs, then of the leaves. */
export interface Opening {
  readonly e: Emitter
  readonly pointers: readonly Local[]
  readonly steps: readonly Expression[]
}

/** Opens a function over a body's elements: pointers that stand nowhere yet, and their steps along the axis of vectors. */
export const open = ({
  e,
  words: { steps },
}: Pick<Unit<{ readonly steps: readonly Expression[] }>, 'e' | 'words'>): Opening => ({
  e,
  pointers: steps.map(() => fresh(e, 'pointer', 'i32')),
  steps: steps.map((step) => keep(e, 'step', step)),
})

/** Sets the pointers to where they begin. */
export const toStarts = ({ pointers }: Opening, starts: readonly Expression[]): readonly Statement[] =>
  pointers.map((pointer, k) => set(pointer, at(starts, k)))
