/**
 * Matrix products as code: y is packed into panels, then tiles of sums pass over them.
 *
 * A unit is some tiles of rows times some panels of one batch. It goes through the contracted axis in blocks: for each block and panel all
 * its tiles, whose sums are read from `out` and written back. The order of each sum is thus that of the contracted axis, whoever computes it.
 */
import { permute, product } from '../../prelude/array.ts'
import type { GemmKernel, Operand } from '../../compiler/kernel.ts'
import { nestOf } from '../../compiler/nest.ts'
import { coalesce, type View } from '../../compiler/view.ts'
import {
  add,
  apply,
  countTo,
  get,
  i32,
  mul,
  select,
  set,
  sub,
  when,
  type Expression,
  type Local,
} from './assembler/code.ts'
import type { Function } from './assembler/module.ts'
import { constantStatements, emitter, fresh, inside, keep, word, type Emitter } from './emitter.ts'
import {
  bytesOf,
  count,
  depthOf,
  isAcross,
  pointersOf,
  tilesOf,
  viewOf,
  type Axis,
  type Contraction,
  type Depth,
} from './gemmContraction.ts'
import {
  loadSums,
  multiply,
  pointersAt,
  rowBytes,
  storeRagged,
  storeSums,
  sumsOf,
  tileFor,
  type Epilogue,
  type Tile,
} from './gemmTile.ts'
import type { Generated, Machine, Parameter, Phase } from './kernelCode.ts'
import { neighbouring, pack, packedBytes } from './pack.ts'

/** Words of the block. */
const words = {
  x: 0,
  y: 1,
  out: 2,
  nowhere: 3,
  zeros: 4,
  batches: 5,
  tiles: 6,
  segments: 7,
  blocks: 8,
  blockCount: 9,
  xStep: 10,
  yStep: 11,
  panelStep: 12,
  tileCount: 13,
  tilesPerUnit: 14,
  rowUnits: 15,
  panelCount: 16,
  panelsPerUnit: 17,
  columnUnits: 18,
  columns: 19,
} as const

/** The values of a unit, or of a loop around the tile, that the inside of the loop needs. */
interface Around {
  readonly block: Local
  readonly x: Expression
  readonly out: Expression
  readonly y: Expression
  readonly isFirst: Expression
  readonly segments: Expression
  readonly segmentsEnd: Expression
  /** Columns that the panel has; fewer than its width in the last one. */
  readonly columns: Expression
}

const smaller = (x: Expression, y: Expression): Expression => select(apply('i32.lt_s', [x, y]), x, y)

const noEpilogue: Epilogue = (_e, _row, _vector, sum) => sum

/** One tile: its sums so far, the products of all segments of the block, and back to memory. */
const writeTile = (e: Emitter, tile: Tile, ragged: boolean, record: Expression, a: Around): void => {
  const pointers = pointersOf(tile)
  const outRow = (i: number): Expression => add(apply('i32.load', [record], 4 * (pointers + i)), a.out)
  const valid = tile.across ? keep(e, 'valid', apply('i32.load', [record], 4 * (pointers + tile.rows))) : i32(tile.rows)
  const target = (i: number): Expression =>
    tile.across && i > 0
      ? select(apply('i32.gt_s', [valid, i32(i)]), outRow(i), word(a.block, words.nowhere))
      : outRow(i)
  const sums = sumsOf(e, tile)
  const zeros = word(a.block, words.zeros)
  loadSums(
    e,
    sums,
    sums.map((_, i) => keep(e, 'from', select(a.isFirst, zeros, target(i)))),
  )
  const segment = fresh(e, 'segment', 'i32')
  const x = Array.from({ length: pointers }, () => fresh(e, 'x', 'i32'))
  const y = fresh(e, 'y', 'i32')
  const run = inside(e)
  const offset = keep(run, 'offset', add(apply('i32.load', [get(segment)]), a.x))
  pointersAt(run, x, record, 0, offset)
  const yStep = keep(run, 'yStep', word(a.block, words.yStep))
  const xStep = keep(run, 'xStep', word(a.block, words.xStep))
  const end = keep(run, 'end', add(get(y), apply('i32.mul', [apply('i32.load', [get(segment)], 4), yStep])))
  multiply(run, tile, sums, { x, xStep, y, yStep, end })
  e.statements.push(set(y, a.y), set(segment, a.segments), countTo(segment, a.segmentsEnd, 8, run.statements))
  const whole = inside(e)
  const rows = (to: Emitter): readonly Expression[] => sums.map((_, i) => keep(to, 'to', target(i)))
  storeSums(whole, sums, rows(whole), noEpilogue)
  if (!ragged) {
    e.statements.push(...whole.statements)
    return
  }
  const part = inside(e)
  storeRagged(part, sums, rows(part), a.columns, noEpilogue)
  e.statements.push(when(apply('i32.eq', [a.columns, i32(tile.columns)]), whole.statements, part.statements))
}

/** A unit: blocks of the contracted axis, panels, tiles. */
const writeUnit = (e: Emitter, tile: Tile, ragged: boolean, block: Local, unit: Expression): void => {
  const w = (index: keyof typeof words): Expression => word(block, words[index])
  const rowUnit = keep(e, 'rowUnit', apply('i32.rem_u', [unit, w('rowUnits')]))
  const rest = keep(e, 'rest', apply('i32.div_u', [unit, w('rowUnits')]))
  const columnUnit = keep(e, 'columnUnit', apply('i32.rem_u', [rest, w('columnUnits')]))
  const batch = apply('i32.div_u', [rest, w('columnUnits')])
  const offsets = keep(e, 'offsets', add(w('batches'), mul(batch, i32(12))))
  const base = (array: 'x' | 'y' | 'out', k: number): Expression =>
    keep(e, array, add(w(array), apply('i32.load', [offsets], 4 * k)))
  const [x, y, out] = [base('x', 0), base('y', 1), base('out', 2)]
  const recordBytes = 4 * (pointersOf(tile) + tile.rows + 1)
  const firstTile = keep(e, 'firstTile', apply('i32.mul', [rowUnit, w('tilesPerUnit')]))
  const tilesEnd = keep(
    e,
    'tilesEnd',
    add(w('tiles'), mul(smaller(add(firstTile, w('tilesPerUnit')), w('tileCount')), i32(recordBytes))),
  )
  const firstRecord = keep(e, 'firstRecord', add(w('tiles'), mul(firstTile, i32(recordBytes))))
  const firstPanel = keep(e, 'firstPanel', apply('i32.mul', [columnUnit, w('panelsPerUnit')]))
  const panelsEnd = keep(e, 'panelsEnd', smaller(add(firstPanel, w('panelsPerUnit')), w('panelCount')))
  const [depthBlock, panel, record] = [
    fresh(e, 'depthBlock', 'i32'),
    fresh(e, 'panel', 'i32'),
    fresh(e, 'record', 'i32'),
  ]
  const perBlock = inside(e)
  const entry = keep(perBlock, 'entry', add(w('blocks'), mul(get(depthBlock), i32(12))))
  const segments = keep(perBlock, 'segments', add(w('segments'), mul(apply('i32.load', [entry]), i32(8))))
  const segmentsEnd = keep(perBlock, 'segmentsEnd', add(w('segments'), mul(apply('i32.load', [entry], 4), i32(8))))
  const yBlock = keep(perBlock, 'yBlock', add(y, apply('i32.mul', [apply('i32.load', [entry], 8), w('yStep')])))
  const isFirst = keep(perBlock, 'isFirst', apply('i32.eqz', [get(depthBlock)]))
  const perPanel = inside(e)
  const around: Around = {
    block,
    x,
    out: keep(perPanel, 'outPanel', add(out, mul(get(panel), i32(rowBytes(tile))))),
    y: keep(perPanel, 'yPanel', add(yBlock, apply('i32.mul', [get(panel), w('panelStep')]))),
    isFirst,
    segments,
    segmentsEnd,
    columns: keep(
      perPanel,
      'columns',
      smaller(sub(w('columns'), mul(get(panel), i32(tile.columns))), i32(tile.columns)),
    ),
  }
  const perTile = inside(e)
  writeTile(perTile, tile, ragged, get(record), around)
  perPanel.statements.push(set(record, firstRecord), countTo(record, tilesEnd, recordBytes, perTile.statements))
  perBlock.statements.push(set(panel, firstPanel), countTo(panel, panelsEnd, 1, perPanel.statements))
  e.statements.push(
    set(depthBlock, i32(0)),
    countTo(depthBlock, keep(e, 'blockCount', w('blockCount')), 1, perBlock.statements),
  )
}

const makeFunction = (name: string, tile: Tile, ragged: boolean): Function => {
  const e = emitter()
  const [block, unit, last] = (['block', 'unit', 'last'] as const).map((n): Local => ({ name: n, type: 'i32' })) as [
    Local,
    Local,
    Local,
  ]
  const turn = inside(e)
  writeUnit(turn, tile, ragged, block, get(unit))
  e.statements.push(countTo(unit, get(last), 1, turn.statements))
  return { name, parameters: [block, unit, last], body: [...constantStatements(e), ...e.statements] }
}

/** How tiles and panels are shared out: units small enough that threads find some each, and large enough that y stays in the cache. */
const shares = (
  batches: number,
  tiles: number,
  panels: number,
): { readonly tiles: number; readonly panels: number } => {
  const wanted = 32
  const perUnit = { tiles: 16, panels: 16 }
  const units = (): number => batches * Math.ceil(tiles / perUnit.tiles) * Math.ceil(panels / perUnit.panels)
  while (units() < wanted && perUnit.panels > 4) perUnit.panels /= 2
  while (units() < wanted && perUnit.tiles > 4) perUnit.tiles /= 2
  while (units() < wanted && perUnit.panels > 1) perUnit.panels /= 2
  return perUnit
}

/** The step of y along the contracted axis where it is one step, not 0, and columns are neighbours: y can then be read where it is. */
const directStep = (c: Contraction, depth: Depth): number | undefined => {
  const { strides } = coalesce(viewOf(depth.axes, 'y'))
  const [step = 1] = strides
  return strides.length <= 1 && step !== 0 && neighbouring(c.columns) ? 4 * step : undefined
}

/** Products that are worth a thread's attention: about 5 µs. */
const worthwhile = 250_000

/** Rows below which packing y costs more than it brings. */
const fewRows = 24

/** The code of a contraction. `scratch` bytes of scratch memory are taken already. */
export const contraction = (c: Contraction, machine: Machine, scratch = 0): Generated => {
  const [batches, rows, columns] = [count(c.batch), count(c.rows), count(c.columns)]
  if (batches * rows * columns === 0) return { phases: [], scratch }
  const tile = tileFor(machine, columns, isAcross(c))
  const depth = depthOf(c.depth)
  const tiles = tilesOf(c.rows, tile)
  const step = rows <= fewRows ? directStep(c, depth) : undefined
  const panels = Math.ceil(columns / tile.columns)
  const packed: Parameter = { kind: 'scratch', offset: scratch }
  const bytes = step === undefined ? packedBytes(c, tile.columns) : 0
  const nowhere: Parameter = { kind: 'scratch', offset: scratch + bytes }
  const perUnit = shares(batches, tiles.count, panels)
  const [rowUnits, columnUnits] = [Math.ceil(tiles.count / perUnit.tiles), Math.ceil(panels / perUnit.panels)]
  const table = (values: Int32Array): Parameter => ({ kind: 'table', values })
  const panelBytes = step === undefined ? 4 * tile.columns * depth.length : 4 * tile.columns
  const [inX, inY, inOut] = [bytesOf(c.batch, 'x'), bytesOf(c.batch, 'y'), bytesOf(c.batch, 'out')]
  const yOffset = (b: number): number => (step === undefined ? b * panels * panelBytes : (inY[b] as number))
  const ragged = columns % tile.columns !== 0
  const multiplication: Phase = {
    key: `gemm ${tile.rows}×${tile.columns}${tile.fma ? ' fma' : ''}${tile.across ? ' across' : ''}${ragged ? ' ragged' : ''}`,
    make: (name) => makeFunction(name, tile, ragged),
    parameters: [
      c.x,
      step === undefined ? packed : c.y,
      c.out,
      nowhere,
      table(new Int32Array(tile.columns)),
      table(
        Int32Array.from({ length: 3 * batches }, (_, i) => {
          const b = Math.floor(i / 3)
          return i % 3 === 0 ? (inX[b] as number) : i % 3 === 1 ? yOffset(b) : (inOut[b] as number)
        }),
      ),
      table(tiles.table),
      table(depth.segments),
      table(depth.blocks),
      depth.blocks.length / 3,
      depth.step,
      step ?? 4 * tile.columns,
      panelBytes,
      tiles.count,
      perUnit.tiles,
      rowUnits,
      panels,
      perUnit.panels,
      columnUnits,
      columns,
    ],
    units: batches * rowUnits * columnUnits,
    grain: Math.max(
      1,
      Math.floor(worthwhile / (perUnit.tiles * tile.rows * perUnit.panels * tile.columns * depth.length + 1)),
    ),
  }
  return {
    phases: step === undefined ? [pack(c, depth, tile.columns, packed), multiplication] : [multiplication],
    scratch: scratch + bytes + 4 * tile.columns,
  }
}

/** Some axes of an operand. */
const part = ({ view }: Operand, list: readonly number[]): View => ({
  offset: 0,
  shape: permute(view.shape, list),
  strides: permute(view.strides, list),
})

/** Axes over which views of x, y and `out` walk together, undefined where they cross; what has no view has no stride. */
const jointAxes = (size: number, views: { readonly [K in 'x' | 'y' | 'out']?: View }): readonly Axis[] | undefined => {
  if (size === 0) return [{ length: 0, x: 0, y: 0, out: 0 }]
  const none: View = { offset: 0, shape: [], strides: [] }
  const nest = nestOf(size, [views.x ?? none, views.y ?? none, views.out ?? none])
  return nest?.lengths.map((length, a) => {
    const [x = 0, y = 0, out = 0] = nest.strides.map((s) => s[a] ?? 0)
    return { length, x, y, out }
  })
}

/** Strides of row-major axes whose innermost has stride `inner`. */
export const denseStrides = (lengths: readonly number[], inner: number): readonly number[] => {
  const strides: number[] = []
  let stride = inner
  for (const length of lengths.toReversed()) {
    strides.unshift(stride)
    stride *= length
  }
  return strides
}

/** An operand's first element. */
export const startOf = ({ buffer, view }: Operand): Parameter => ({ kind: 'buffer', buffer, offset: 4 * view.offset })

/** The kernel as code, or why it has none. */
export const gemm = ({ x, y, axes, output, dtype }: GemmKernel, machine: Machine): Generated | string => {
  if (x.dtype !== 'f32' || y.dtype !== 'f32' || dtype !== 'f32')
    return `a product of ${x.dtype} to ${dtype} has no code`
  const [xBatch, yBatch] = [part(x, axes.batch[0]), part(y, axes.batch[1])]
  const [xRows, yColumns] = [part(x, axes.rows), part(y, axes.columns)]
  const [xDepth, yDepth] = [part(x, axes.contract[0]), part(y, axes.contract[1])]
  const [b, m, n, k] = [xBatch, xRows, yColumns, xDepth].map((v) => product(v.shape)) as [
    number,
    number,
    number,
    number,
  ]
  const line = (length: number, stride: number): View => ({ offset: 0, shape: [length], strides: [stride] })
  const batch = jointAxes(b, { x: xBatch, y: yBatch, out: line(b, m * n) })
  const rows = jointAxes(m, { x: xRows, out: line(m, n) })
  const columns = jointAxes(n, { y: yColumns, out: line(n, 1) })
  const depth = jointAxes(k, { x: xDepth, y: yDepth })
  if (batch === undefined || rows === undefined || columns === undefined || depth === undefined)
    return 'the axes of its operands cross'
  const out: Parameter = { kind: 'buffer', buffer: output, offset: 0 }
  return contraction({ x: startOf(x), y: startOf(y), out, batch, rows, columns, depth }, machine)
}
