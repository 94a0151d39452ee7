/**
 * Convolutions that have no vector code, one product at a time: sums in f64 over taps and channels in order, rounded once, or wrapping ones of
 * whole numbers, as cpu's. What lies in the padding, or between the elements of a dilated input, is left out.
 */
import { at } from '../../../prelude/array.ts'
import { bytesPerElement } from '../../../graph/dtype.ts'
import { sizeOf } from '../../../graph/shape.ts'
import { dilated } from '../../../graph/infer.ts'
import type { ConvKernel } from '../../../compiler/kernel.ts'
import { add, apply, countTo, get, i32, mul, set, sub, when, type Expression } from '../assembler/code.ts'
import type { Function } from '../assembler/module.ts'
import { unitParameters } from '../move/bytes.ts'
import { emitter, fresh, inside, keep, type Emitter } from '../emit/emitter.ts'
import type { Phase } from '../emit/kernelCode.ts'
import { wordAt } from './scalarNest.ts'
import { elementAt, loadElement, storeElement, sumOf } from './scalarValue.ts'

/** What a spatial axis has in the block, one word each. */
const axisWords = [
  'out',
  'stride',
  'low',
  'dilated',
  'inputDilation',
  'taps',
  'filterDilation',
  'xStride',
  'wStride',
] as const

type Axis = { readonly [K in (typeof axisWords)[number]]: Expression }

/** The words of everything else, in order. */
const otherWords = ['target', 'x', 'w', 'xBatch', 'xChannel', 'wIn', 'wOut', 'depth', 'outputs', 'perGroup'] as const

type Others = { readonly [K in (typeof otherWords)[number]]: Expression }

const named = <K extends string>(
  e: Emitter,
  names: readonly K[],
  word: (i: number) => Expression,
): Record<K, Expression> =>
  Object.fromEntries(names.map((name, i) => [name, keep(e, name, word(i))])) as Record<K, Expression>

/** One spatial axis of a unit: for each of its taps that meets an element of the input, `body` gets both places in bytes. */
const overTaps = (
  e: Emitter,
  axis: Axis,
  position: Expression,
  body: (inner: Emitter, x: Expression, w: Expression) => void,
): void => {
  const begin = keep(e, 'begin', sub(mul(position, axis.stride), axis.low))
  const tap = fresh(e, 'tap', 'i32')
  const turn = inside(e)
  const i = keep(turn, 'i', add(begin, mul(get(tap), axis.filterDilation)))
  const isInside = apply('i32.lt_u', [i, axis.dilated])
  const onElement = apply('i32.eqz', [apply('i32.rem_u', [i, axis.inputDilation])])
  const met = inside(turn)
  const x = keep(met, 'x', mul(apply('i32.div_u', [i, axis.inputDilation]), axis.xStride))
  body(met, x, keep(met, 'w', mul(get(tap), axis.wStride)))
  turn.statements.push(when(apply('i32.and', [isInside, onElement]), met.statements))
  e.statements.push(set(tap, i32(0)), countTo(tap, axis.taps, 1, turn.statements))
}

const makeConv = (name: string, { x, filter, dtype }: ConvKernel): Function => {
  const [block, first, last] = unitParameters()
  const e = emitter()
  const sums = sumOf(x.dtype, filter.dtype, dtype)
  const w: Others = named(e, otherWords, (i) => wordAt(block, i))
  const axisAt = (from: number): Axis => named(e, axisWords, (i) => wordAt(block, from + i))
  const rows = axisAt(otherWords.length)
  const columns = axisAt(otherWords.length + axisWords.length)
  const unit = inside(e)
  const column = keep(unit, 'column', apply('i32.rem_u', [get(first), columns.out]))
  const rest = keep(unit, 'rest', apply('i32.div_u', [get(first), columns.out]))
  const row = keep(unit, 'row', apply('i32.rem_u', [rest, rows.out]))
  const image = keep(unit, 'image', add(w.x, mul(apply('i32.div_u', [rest, rows.out]), w.xBatch)))
  const [c, k, sum] = [fresh(e, 'c', 'i32'), fresh(e, 'k', 'i32'), fresh(e, 'sum', sums.register)]
  const output = inside(unit)
  const group = apply('i32.div_u', [get(c), w.perGroup])
  const channels = keep(output, 'channels', add(image, mul(mul(group, w.depth), w.xChannel)))
  const filters = keep(output, 'filters', add(w.w, mul(get(c), w.wOut)))
  output.statements.push(set(sum, sums.zero))
  overTaps(output, rows, row, (outer, xRow, wRow) => {
    overTaps(outer, columns, column, (inner, xColumn, wColumn) => {
      const xStart = keep(inner, 'xStart', add(channels, add(xRow, xColumn)))
      const wStart = keep(inner, 'wStart', add(filters, add(wRow, wColumn)))
      const turn = inside(inner)
      const a = loadElement(turn, x.dtype, keep(turn, 'at', add(xStart, mul(get(k), w.xChannel))))
      const b = loadElement(turn, filter.dtype, keep(turn, 'at', add(wStart, mul(get(k), w.wIn))))
      turn.statements.push(set(sum, sums.plus(get(sum), a, b)))
      inner.statements.push(set(k, i32(0)), countTo(k, w.depth, 1, turn.statements))
    })
  })
  const value = keep(output, 'value', sums.rounded(output, get(sum)))
  const target = elementAt(w.target, add(mul(get(first), w.outputs), get(c)), dtype)
  output.statements.push(storeElement(output, dtype, target, value))
  unit.statements.push(set(c, i32(0)), countTo(c, w.outputs, 1, output.statements))
  e.statements.push(countTo(first, get(last), 1, unit.statements))
  return { name, parameters: [block, first, last], body: e.statements }
}

/** A unit is an output pixel with all its channels. */
export const scalarConv = (kernel: ConvKernel): Phase => {
  const { x, filter, attrs, shape, output, dtype } = kernel
  const [xBytes, wBytes] = [bytesPerElement[x.dtype], bytesPerElement[filter.dtype]]
  const axis = (a: 0 | 1): readonly number[] => [
    at(shape, a + 1),
    attrs.stride[a],
    attrs.padLow[a],
    dilated(at(x.view.shape, a + 1), attrs.inputDilation[a]),
    attrs.inputDilation[a],
    at(filter.view.shape, a),
    attrs.filterDilation[a],
    at(x.view.strides, a + 1) * xBytes,
    at(filter.view.strides, a) * wBytes,
  ]
  const outputs = at(shape, 3)
  const depth = at(filter.view.shape, 2)
  return {
    key: `conv ${x.dtype} ${filter.dtype} ${dtype}`,
    make: (name) => makeConv(name, kernel),
    parameters: [
      { kind: 'buffer', buffer: output, offset: 0 },
      { kind: 'buffer', buffer: x.buffer, offset: xBytes * x.view.offset },
      { kind: 'buffer', buffer: filter.buffer, offset: wBytes * filter.view.offset },
      at(x.view.strides, 0) * xBytes,
      at(x.view.strides, 3) * xBytes,
      at(filter.view.strides, 2) * wBytes,
      at(filter.view.strides, 3) * wBytes,
      depth,
      outputs,
      Math.max(1, outputs / attrs.groups),
      ...axis(0),
      ...axis(1),
    ],
    units: outputs === 0 ? 0 : sizeOf(shape) / outputs,
    grain: Math.max(
      1,
      Math.ceil(4096 / Math.max(1, outputs * depth * at(filter.view.shape, 0) * at(filter.view.shape, 1))),
    ),
  }
}
