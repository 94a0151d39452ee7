/** pad and concatenate: each part is copied into its window of the output; and kernels that only copy, whose window is all of it. */
import { at, product, range } from '../../../prelude/array.ts'
import { bytesPerElement, type DType } from '../../../graph/dtype.ts'
import { sizeOf } from '../../../graph/shape.ts'
import type { ElementwiseKernel, Operand, PlaceKernel } from '../../../compiler/kernel.ts'
import { nestOf, type Nest } from '../../../compiler/nest.ts'
import { contiguous, type View } from '../../../compiler/view.ts'
import { add, apply, countTo, get, i32, loop, branch, set, sub, type Local } from '../assembler/code.ts'
import type { Function } from '../assembler/module.ts'
import { chunk, clear, moveRow, rangeOf, unitParameters } from './bytes.ts'
import { emitter, fresh, inside, keep } from '../emit/emitter.ts'
import type { Generated, Parameter, Phase } from '../emit/kernelCode.ts'
import { scalarInto } from '../scalar/scalar.ts'
import { enter, moveAll, nestWords, openNest, wordAt, type Cursor } from '../scalar/scalarNest.ts'

/** A copy of a view into another of the same elements. */
interface Copy {
  readonly output: number
  readonly dtype: DType
  readonly window: View
  readonly from: Operand
}

/** What lies in one piece on both sides: units are chunks of bytes. */
const makeFlat = (name: string, size: number): Function => {
  const [block, first, last] = unitParameters()
  const e = emitter()
  const unit = inside(e)
  const [begin, count] = rangeOf(unit, get(first), i32(chunk), wordAt(block, 2))
  moveRow(unit, size, add(wordAt(block, 0), begin), add(wordAt(block, 1), begin), count)
  e.statements.push(countTo(first, get(last), 1, unit.statements))
  return { name, parameters: [block, first, last], body: e.statements }
}

/** Words: bytes of a row, rows of a unit, units along the last axis of the nest, and the nest of rows. */
const rowWords = 3

/** Rows that each lie in one piece: a unit is some of them along the last axis of the nest. */
const makeRows = (name: string, size: number, axes: number): Function => {
  const [block, first, last] = unitParameters()
  const e = emitter()
  const nest = openNest(e, block, rowWords, 2, axes)
  const [to, from] = nest.cursors as [Local, Local]
  const [bytes, rows, units] = range(rowWords).map((i) => keep(e, 'word', wordAt(block, i)))
  if (bytes === undefined || rows === undefined || units === undefined) throw new Error('wasm: too few words')
  const unit = inside(e)
  enter(unit, nest, range(axes - 1), keep(unit, 'outer', apply('i32.div_u', [get(first), units])))
  const [begin, count] = rangeOf(unit, apply('i32.rem_u', [get(first), units]), rows, at(nest.lengths, axes - 1))
  moveAll(unit, nest, axes - 1, begin)
  const left = fresh(unit, 'rows', 'i32')
  const row = inside(unit)
  moveRow(row, size, get(to), get(from), bytes)
  moveAll(row, nest, axes - 1, i32(1))
  row.statements.push(set(left, sub(get(left), i32(1))), branch(left.name, get(left)))
  unit.statements.push(set(left, count), loop(left.name, row.statements))
  e.statements.push(countTo(first, get(last), 1, unit.statements))
  return { name, parameters: [block, first, last], body: e.statements }
}

const rowsPhase = (size: number, nest: Nest, starts: readonly [Parameter, Parameter]): Phase => {
  const length = at(nest.lengths, nest.lengths.length - 1)
  const lengths = nest.lengths.slice(0, -1)
  const cursors = starts.map((start, k): Cursor => ({
    start,
    strides: at(nest.strides, k)
      .slice(0, -1)
      .map((s) => s * size),
  }))
  const last = at(lengths, lengths.length - 1)
  const rows = Math.min(last, Math.max(1, Math.floor(chunk / (length * size))))
  const units = Math.ceil(last / rows)
  const bytes = rows * length * size
  return {
    key: `rows ${size} ${lengths.length}`,
    make: (name) => makeRows(name, size, lengths.length),
    parameters: [length * size, rows, units, ...nestWords(cursors, lengths)],
    units: product(lengths.slice(0, -1)) * units,
    grain: Math.max(1, Math.floor(chunk / bytes)),
  }
}

const copyPhase = ({ output, dtype, window, from }: Copy): Phase => {
  const size = bytesPerElement[dtype]
  const count = sizeOf(window.shape)
  const nest = nestOf(count, [window, from.view])
  const starts = [
    { kind: 'buffer', buffer: output, offset: size * window.offset },
    { kind: 'buffer', buffer: from.buffer, offset: size * from.view.offset },
  ] as const
  const isDense = nest?.strides.every((s) => (s.at(-1) ?? 1) === 1) ?? false
  if (nest === undefined || !isDense)
    return scalarInto({ size: count, instructions: [{ kind: 'load', from, dtype }] }, dtype, output, window)
  if (nest.lengths.length > 1) return rowsPhase(size, nest, starts)
  return {
    key: `bytes ${size}`,
    make: (name) => makeFlat(name, size),
    parameters: [...starts, count * size],
    units: Math.ceil((count * size) / chunk),
    grain: 1,
  }
}

/** The load of a kernel that does nothing else, if its elements are moved best as bytes. */
const loadOf = ({ body, dtype }: ElementwiseKernel): Operand | undefined => {
  const [first, ...others] = body.instructions
  if (first?.kind !== 'load' || others.length > 0 || first.dtype !== dtype) return undefined
  const strides = nestOf(body.size, [contiguous([body.size]), first.from.view])?.strides[1]
  return strides !== undefined && (strides.at(-1) ?? 1) === 1 ? first.from : undefined
}

/** A kernel that copies rows which lie in one piece; undefined for every other. */
export const copy = (kernel: ElementwiseKernel): Phase | undefined => {
  const from = loadOf(kernel)
  const { output, dtype, body } = kernel
  return from === undefined ? undefined : copyPhase({ output, dtype, window: contiguous([body.size]), from })
}

/** Parts into their windows; zeros first, where there is anything between them. */
export const place = ({ parts, output, dtype, size }: PlaceKernel): Generated => {
  const present = parts.filter((p) => sizeOf(p.window.shape) > 0)
  const covered = present.reduce((sum, p) => sum + sizeOf(p.window.shape), 0)
  const zeros = covered < size ? [clear(output, size * bytesPerElement[dtype])] : []
  return { phases: [...zeros, ...present.map((part) => copyPhase({ output, dtype, ...part }))], scratch: 0 }
}
