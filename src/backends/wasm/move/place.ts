/** pad and concatenate: each part is copied into its window of the output; and kernels that only copy, whose window is all of it. */
import { at, product } from '../../../prelude/array.ts'
import { bytesPerElement, type DType } from '../../../graph/dtype.ts'
import { sizeOf } from '../../../graph/shape.ts'
import type { ElementwiseKernel, Operand, PlaceKernel } from '../../../compiler/kernel.ts'
import { nestOf, type Nest } from '../../../compiler/nest.ts'
import { isFilled, windowOf } from '../../../compiler/place.ts'
import { contiguous, type View } from '../../../compiler/view.ts'
import { add, get, i32 } from '../assembler/code.ts'
import { chunk, clear, moveRow, rangeOf } from './bytes.ts'
import { block, inBuffer, word, words, type Parameter } from '../emit/block.ts'
import { code, codeLater, phase, type Generated, type Phase } from '../emit/kernelCode.ts'
import { eachUnit } from '../emit/opening.ts'
import { scalarInto } from '../scalar/scalar.ts'
import { nestField, nestNumbers, type Cursor } from '../scalar/nestWords.ts'
import type { RowsOfNest } from './placeCode.ts'

/** A copy of a view into another of the same elements. */
interface Copy {
  readonly output: number
  readonly dtype: DType
  readonly window: View
  readonly from: Operand
}

/** Elements of `size` bytes. */
interface Elements {
  readonly size: number
}

/** What lies in one piece on both sides: units are chunks of bytes. */
const bytesCode = code(
  'bytes',
  () => block(words('to', 'from', 'bytes')),
  (unit, { size }: Elements) => {
    const { words: w, first } = unit
    eachUnit(unit, (turn) => {
      const [begin, count] = rangeOf(turn, get(first), i32(chunk), w.bytes)
      moveRow(turn, size, add(w.to, begin), add(w.from, begin), count)
    })
  },
)

/** Its functions are written by `writeRowsOfNest`. */
export const rowsOfNestCode = codeLater<RowsOfNest>()('rows', ({ axes }) =>
  block({ bytes: word, rows: word, units: word, nest: nestField(2, axes) }),
)

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
  return phase(
    rowsOfNestCode,
    { size, axes: lengths.length },
    { bytes: length * size, rows, units, nest: nestNumbers(cursors, lengths) },
    { units: product(lengths.slice(0, -1)) * units, grain: Math.max(1, Math.floor(chunk / bytes)) },
  )
}

const copyPhase = ({ output, dtype, window, from }: Copy): Phase => {
  const size = bytesPerElement[dtype]
  const count = sizeOf(window.shape)
  const nest = nestOf(count, [window, from.view])
  const [to, source] = [inBuffer(output, size * window.offset), inBuffer(from.buffer, size * from.view.offset)]
  const isDense = nest?.strides.every((s) => (s.at(-1) ?? 1) === 1) ?? false
  if (nest === undefined || !isDense)
    return scalarInto({ size: count, instructions: [{ kind: 'load', from, dtype }] }, dtype, output, window)
  if (nest.lengths.length > 1) return rowsPhase(size, nest, [to, source])
  return phase(
    bytesCode,
    { size },
    { to, from: source, bytes: count * size },
    { units: Math.ceil((count * size) / chunk), grain: 1 },
  )
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
export const place = (kernel: PlaceKernel): Generated => {
  const { parts, output, dtype, shape } = kernel
  const copies = parts
    .filter((p) => sizeOf(p.from.view.shape) > 0)
    .map((part) => copyPhase({ output, dtype, from: part.from, window: windowOf(shape, part) }))
  const zeros = isFilled(kernel) ? [] : [clear(inBuffer(output), sizeOf(shape) * bytesPerElement[dtype])]
  return { phases: [...zeros, ...copies], scratch: 0 }
}
