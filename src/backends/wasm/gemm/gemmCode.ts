/**
 * The code of matrix products: tiles of sums pass over panels of y.
 *
 * A unit is some tiles of rows times some panels of one batch. It goes through the contracted axis in blocks: for each block and panel all
 * its tiles, whose sums are read from `out` and written back. The order of each sum is thus that of the contracted axis, whoever computes it.
 */
import {
  add,
  apply,
  countTo,
  get,
  i32,
  mul,
  select,
  set,
  store,
  sub,
  when,
  type Expression,
  type Local,
} from '../assembler/code.ts'
import { block, words, type Field } from '../emit/block.ts'
import { fresh, inside, keep, type Emitter } from '../emit/emitter.ts'
import { code } from '../emit/kernelCode.ts'
import { eachUnit } from '../emit/opening.ts'
import { pointersOf } from './gemmTables.ts'
import { epilogueField, writeEpilogue, type EpilogueStructure } from './gemmEpilogue.ts'
import { loadSums, multiply, pointersAt, rowBytes, storeRagged, storeSums, sumsOf, type Tile } from './gemmTile.ts'

/** The words of a product. */
const productFields = ({ epilogue }: Form) =>
  block({
    ...words('x', 'y', 'out', 'nowhere', 'zeros', 'batches', 'tiles', 'segments', 'blocks'),
    ...words('xStep', 'yStep', 'panelStep', 'tileCount', 'tilesPerUnit', 'rowUnits'),
    ...words('panelCount', 'panelsPerUnit', 'columnUnits', 'columns'),
    epilogue: epilogueField(epilogue),
  })

/** The words as expressions. */
type Words = ReturnType<typeof productFields> extends Field<never, infer Read> ? Read : never

/** Words of a batch, or of a part of one: where it begins in x, y and out, its first block and the one after its last. */
const batchWords = 5

/** The values of a unit, or of a loop around the tile, that the inside of the loop needs. */
interface Around {
  readonly words: Words
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

/** One tile: its sums so far, the products of all segments of the block, and back to memory. */
const writeTile = (e: Emitter, tile: Tile, ragged: boolean, record: Expression, a: Around): void => {
  const pointers = pointersOf(tile)
  const outRow = (i: number): Expression => add(apply('i32.load', [record], 4 * (pointers + i)), a.out)
  const valid = tile.across ? keep(e, 'valid', apply('i32.load', [record], 4 * (pointers + tile.rows))) : i32(tile.rows)
  const target = (i: number): Expression =>
    tile.across && i > 0 ? select(apply('i32.gt_s', [valid, i32(i)]), outRow(i), a.words.nowhere) : outRow(i)
  const sums = sumsOf(e, tile)
  const zeros = a.words.zeros
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
  const yStep = keep(run, 'yStep', a.words.yStep)
  const xStep = keep(run, 'xStep', a.words.xStep)
  const end = keep(run, 'end', add(get(y), apply('i32.mul', [apply('i32.load', [get(segment)], 4), yStep])))
  multiply(run, tile, sums, { x, xStep, y, yStep, end })
  e.statements.push(set(y, a.y), set(segment, a.segments), countTo(segment, a.segmentsEnd, 8, run.statements))
  const whole = inside(e)
  const rows = (to: Emitter): readonly Expression[] => sums.map((_, i) => keep(to, 'to', target(i)))
  storeSums(whole, sums, rows(whole))
  if (!ragged) {
    e.statements.push(...whole.statements)
    return
  }
  const part = inside(e)
  storeRagged(part, sums, rows(part), a.columns)
  e.statements.push(when(apply('i32.eq', [a.columns, i32(tile.columns)]), whole.statements, part.statements))
}

/**
 * Reads a word of every cache line of x that the unit's tiles need of a block, all rows side by side. The innermost loop would wait for each
 * line that is not in a cache, for its own instructions fill what a processor looks ahead; here nothing else does (products of values from
 * memory: up to 1.7 times faster; a filter's pixels, which many rows share, gain nothing and lose 3 %).
 */
const writeTouch = (
  e: Emitter,
  tile: Tile,
  records: readonly [Expression, Expression, number],
  a: Omit<Around, 'out' | 'y' | 'columns'>,
): void => {
  const [first, end, recordBytes] = records
  const names = ['record', 'segment', 'line', 'touched'] as const
  const [record, segment, line, touched] = names.map((n) => fresh(e, n, 'i32')) as [Local, Local, Local, Local]
  const rows = Array.from({ length: pointersOf(tile) }, () => fresh(e, 'x', 'i32'))
  const perSegment = inside(e)
  const offset = keep(perSegment, 'offset', add(apply('i32.load', [get(segment)]), a.x))
  pointersAt(perSegment, rows, get(record), 0, offset)
  const bytes = keep(perSegment, 'bytes', mul(apply('i32.load', [get(segment)], 4), i32(4)))
  const lines = rows.map((row) => apply('i32.load', [add(get(row), get(line))], 0))
  perSegment.statements.push(
    set(line, i32(0)),
    countTo(line, bytes, 64, [
      set(
        touched,
        lines.reduce((x, y) => apply('i32.xor', [x, y]), get(touched)),
      ),
    ]),
  )
  e.statements.push(
    set(record, first),
    countTo(record, end, recordBytes, [
      set(segment, a.segments),
      countTo(segment, a.segmentsEnd, 8, perSegment.statements),
    ]),
    store('i32.store', a.words.nowhere, get(touched)),
  )
}

/** What the code of a product depends on. */
export interface Form {
  readonly tile: Tile
  /** Whether no panel divides the columns. */
  readonly ragged: boolean
  /** Whether x is brought into the cache before it is used. */
  readonly touches: boolean
  readonly epilogue: EpilogueStructure | undefined
}

/** A unit: blocks of the contracted axis, panels, tiles. */
const writeUnit = (e: Emitter, { tile, ragged, touches, epilogue }: Form, w: Words, unit: Expression): void => {
  const rowUnit = keep(e, 'rowUnit', apply('i32.rem_u', [unit, w.rowUnits]))
  const rest = keep(e, 'rest', apply('i32.div_u', [unit, w.rowUnits]))
  const columnUnit = keep(e, 'columnUnit', apply('i32.rem_u', [rest, w.columnUnits]))
  const batch = keep(e, 'batch', apply('i32.div_u', [rest, w.columnUnits]))
  const offsets = keep(e, 'offsets', add(w.batches, mul(batch, i32(4 * batchWords))))
  const base = (array: 'x' | 'y' | 'out', k: number): Expression =>
    keep(e, array, add(w[array], apply('i32.load', [offsets], 4 * k)))
  const [x, y, out] = [base('x', 0), base('y', 1), base('out', 2)]
  const firstBlock = keep(e, 'firstBlock', apply('i32.load', [offsets], 12))
  const recordBytes = 4 * (pointersOf(tile) + tile.rows + 1)
  const firstTile = keep(e, 'firstTile', apply('i32.mul', [rowUnit, w.tilesPerUnit]))
  const tilesEnd = keep(
    e,
    'tilesEnd',
    add(w.tiles, mul(smaller(add(firstTile, w.tilesPerUnit), w.tileCount), i32(recordBytes))),
  )
  const firstRecord = keep(e, 'firstRecord', add(w.tiles, mul(firstTile, i32(recordBytes))))
  const firstPanel = keep(e, 'firstPanel', apply('i32.mul', [columnUnit, w.panelsPerUnit]))
  const panelsEnd = keep(e, 'panelsEnd', smaller(add(firstPanel, w.panelsPerUnit), w.panelCount))
  const [depthBlock, panel, record] = [
    fresh(e, 'depthBlock', 'i32'),
    fresh(e, 'panel', 'i32'),
    fresh(e, 'record', 'i32'),
  ]
  const perBlock = inside(e)
  const entry = keep(perBlock, 'entry', add(w.blocks, mul(get(depthBlock), i32(12))))
  const segments = keep(perBlock, 'segments', add(w.segments, mul(apply('i32.load', [entry]), i32(8))))
  const segmentsEnd = keep(perBlock, 'segmentsEnd', add(w.segments, mul(apply('i32.load', [entry], 4), i32(8))))
  const yBlock = keep(perBlock, 'yBlock', add(y, apply('i32.mul', [apply('i32.load', [entry], 8), w.yStep])))
  const isFirst = keep(perBlock, 'isFirst', apply('i32.eq', [get(depthBlock), firstBlock]))
  const perPanel = inside(e)
  const around: Around = {
    words: w,
    x,
    out: keep(perPanel, 'outPanel', add(out, mul(get(panel), i32(rowBytes(tile))))),
    y: keep(perPanel, 'yPanel', add(yBlock, apply('i32.mul', [get(panel), w.panelStep]))),
    isFirst,
    segments,
    segmentsEnd,
    columns: keep(perPanel, 'columns', smaller(sub(w.columns, mul(get(panel), i32(tile.columns))), i32(tile.columns))),
  }
  const perTile = inside(e)
  writeTile(perTile, tile, ragged, get(record), around)
  perPanel.statements.push(set(record, firstRecord), countTo(record, tilesEnd, recordBytes, perTile.statements))
  if (touches) writeTouch(perBlock, tile, [firstRecord, tilesEnd, recordBytes], around)
  perBlock.statements.push(set(panel, firstPanel), countTo(panel, panelsEnd, 1, perPanel.statements))
  e.statements.push(
    set(depthBlock, firstBlock),
    countTo(depthBlock, keep(e, 'lastBlock', apply('i32.load', [offsets], 16)), 1, perBlock.statements),
  )
  if (epilogue === undefined) return
  const bytes = (panels: Expression): Expression => mul(panels, i32(rowBytes(tile)))
  writeEpilogue(e, epilogue, {
    numbers: w.epilogue,
    batch,
    out,
    firstTile,
    firstRecord,
    recordsEnd: tilesEnd,
    recordBytes,
    rows: tile.rows,
    places: pointersOf(tile),
    from: keep(e, 'from', bytes(firstPanel)),
    to: keep(e, 'to', smaller(bytes(panelsEnd), mul(w.columns, i32(4)))),
  })
}

/** The function of a form. */
export const productCode = code('gemm', productFields, (unit, form: Form) => {
  eachUnit(unit, (turn) => {
    writeUnit(turn, form, unit.words, get(unit.first))
  })
})
