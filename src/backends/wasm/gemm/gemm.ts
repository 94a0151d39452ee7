/**
 * Contractions as phases: y is packed into panels, then tiles of sums pass over them (gemmCode.ts). Matrix products of any views are
 * contractions as they are; convolutions become some (conv.ts).
 */
import { range } from '../../../prelude/array.ts'
import { E } from '../../../prelude/fp.ts'
import { count, isAcross, viewOf, type Contraction } from '../../../compiler/contraction/contraction.ts'
import { contractionOfGemm, shapeOfGemm } from '../../../compiler/contraction/gemm.ts'
import type { GemmKernel } from '../../../compiler/kernel.ts'
import { coalesce } from '../../../compiler/view.ts'
import { productCode, type Form } from './gemmCode.ts'
import {
  bytesOf,
  depthOf,
  pointersOf,
  tilesOf,
  type Arrays,
  type Depth,
  type Placed,
  type Tiles,
} from './gemmTables.ts'
import { epilogueNumbers, epilogueOf, structureOfEpilogue, type Epilogue } from './gemmEpilogue.ts'
import { partsFor, sumParts } from './gemmParts.ts'
import { tileFor, type Tile } from './gemmTile.ts'
import { inBuffer, inScratch, table } from '../emit/block.ts'
import { phase, type Generated, type Machine, type Parameter, type Phase } from '../emit/kernelCode.ts'
import type { Unsupported } from '../emit/unsupported.ts'
import { neighbouring, pack } from './pack.ts'

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

/** An epilogue, and where in the output this contraction's batches and rows begin. */
export interface Ending {
  readonly epilogue: Epilogue
  readonly batches: readonly { readonly batch: number; readonly column: number }[]
  /** Bytes of the output before the first row. */
  readonly first: number
}

/** The operands of an ending; rows of the output by the places in the records of tiles. */
const endingNumbers = (
  { epilogue, batches, first }: Ending,
  tiles: Tiles,
  tile: Tile,
): ReturnType<typeof epilogueNumbers> => {
  const width = 4 * epilogue.shape[2]
  const rows = Int32Array.from({ length: tiles.count * tile.rows }, (_, i) => {
    const place = tiles.table[Math.floor(i / tile.rows) * tiles.words + pointersOf(tile) + (i % tile.rows)] as number
    return Math.floor((first + place) / width)
  })
  return epilogueNumbers(epilogue, batches, first, rows)
}

/** A place some elements further. */
const movedBy = (start: Parameter, elements: number): Parameter =>
  typeof start !== 'number' && (start.kind === 'buffer' || start.kind === 'scratch')
    ? { ...start, offset: start.offset + 4 * elements }
    : start

/** A contraction of arrays in memory. */
const placed = (c: Contraction, { x, y, out }: Arrays): Placed => ({
  ...c,
  x: movedBy(x, c.first.x),
  y: movedBy(y, c.first.y),
  out: movedBy(out, c.first.out),
})

/** How the tiles read y: in panels, or where it is. */
interface Panels {
  readonly start: Parameter
  /** Where each batch begins. */
  readonly batches: Int32Array
  /** Bytes from one k to the next, and from one panel to the next. */
  readonly step: number
  readonly panelBytes: number
  readonly phases: readonly Phase[]
  /** Bytes of scratch memory. */
  readonly bytes: number
}

const panelsOf = (c: Placed, depth: Depth, width: number, scratch: number): Panels => {
  const step = count(c.rows) <= fewRows ? directStep(c, depth) : undefined
  if (step !== undefined)
    return { start: c.y, batches: bytesOf(c.batch, 'y'), step, panelBytes: 4 * width, phases: [], bytes: 0 }
  const start = inScratch(scratch)
  const panelBytes = 4 * width * depth.length
  const batchBytes = Math.ceil(count(c.columns) / width) * panelBytes
  const batches = Int32Array.from({ length: count(c.batch) }, (_, b) => b * batchBytes)
  const phases = [pack(c, depth, width, start)]
  return { start, batches, step: 4 * width, panelBytes, phases, bytes: batches.length * batchBytes }
}

/** The words of each batch, part by part of the contracted axis: where it begins in x, y and the result, and its blocks. */
const batchTable = (c: Contraction, y: Int32Array, blocks: number, parts: number, partBytes: number): Int32Array => {
  const [inX, inOut] = [bytesOf(c.batch, 'x'), bytesOf(c.batch, 'out')]
  const block = (p: number): number => Math.floor((p * blocks) / parts)
  const words = (p: number, b: number): readonly number[] =>
    [inX[b], y[b], (inOut[b] as number) + p * partBytes, block(p), block(p + 1)] as readonly number[]
  return Int32Array.from(range(parts).flatMap((p) => range(y.length).flatMap((b) => words(p, b))))
}

/** The code of a contraction: the last phase but that of parts multiplies. */
export interface ContractionCode extends Generated {
  /** Of the phase that multiplies: units over rows, which are neighbours, rows of such a unit, and units over columns. */
  readonly rowUnits: number
  readonly rowsOfUnit: number
  readonly columnUnits: number
}

/**
 * The code of a contraction of arrays that begin where they are said to.
 *
 * @param scratch bytes of scratch memory that are taken already
 * @param mostRows of a unit
 */
export const contraction = (
  form: Contraction,
  arrays: Arrays,
  machine: Machine,
  ending?: Ending,
  scratch = 0,
  mostRows = Infinity,
): ContractionCode => {
  const c = placed(form, arrays)
  const [batches, rows, columns] = [count(c.batch), count(c.rows), count(c.columns)]
  const results = batches * rows * columns
  if (results === 0) return { phases: [], scratch, rowUnits: 0, rowsOfUnit: 0, columnUnits: 0 }
  const tile = tileFor(machine, columns, isAcross(c))
  const [depth, tiles] = [depthOf(c.depth), tilesOf(c.rows, tile)]
  const y = panelsOf(c, depth, tile.columns, scratch)
  const nowhere = scratch + y.bytes
  const partial = inScratch(nowhere + 4 * tile.columns)
  const blocks = depth.blocks.length / 3
  const parts = c.isWhole && ending === undefined ? Math.min(blocks, partsFor(results, depth.length)) : 1
  const inParts = parts > 1
  const panels = Math.ceil(columns / tile.columns)
  const shared = shares(batches * parts, tiles.count, panels)
  const perUnit = { ...shared, tiles: Math.max(1, Math.min(shared.tiles, Math.floor(mostRows / tile.rows))) }
  const [rowUnits, columnUnits] = [Math.ceil(tiles.count / perUnit.tiles), Math.ceil(panels / perUnit.panels)]
  const unitProducts = (perUnit.tiles * tile.rows * perUnit.panels * tile.columns * depth.length) / parts
  const productForm: Form = {
    tile,
    ragged: columns % tile.columns !== 0,
    touches: c.readsOnce && !tile.across && depth.step === 4,
    epilogue: ending && structureOfEpilogue(ending.epilogue),
  }
  const multiplication = phase(
    productCode,
    productForm,
    {
      x: c.x,
      y: y.start,
      out: inParts ? partial : c.out,
      nowhere: inScratch(nowhere),
      zeros: table(new Int32Array(tile.columns)),
      batches: table(batchTable(c, y.batches, blocks, parts, 4 * results)),
      tiles: table(tiles.table),
      segments: table(depth.segments),
      blocks: table(depth.blocks),
      xStep: depth.step,
      yStep: y.step,
      panelStep: y.panelBytes,
      tileCount: tiles.count,
      tilesPerUnit: perUnit.tiles,
      rowUnits,
      panelCount: panels,
      panelsPerUnit: perUnit.panels,
      columnUnits,
      columns,
      epilogue: ending === undefined ? [] : endingNumbers(ending, tiles, tile),
    },
    {
      units: parts * batches * rowUnits * columnUnits,
      grain: Math.max(1, Math.floor(worthwhile / (unitProducts + 1))),
    },
  )
  return {
    phases: [...y.phases, multiplication, ...(inParts ? [sumParts(partial, c.out, parts, 4 * results)] : [])],
    scratch: nowhere + 4 * tile.columns + (inParts ? 4 * parts * results : 0),
    choices: { tile: `${tile.rows}×${tile.columns}`, ...(inParts ? { parts } : {}) },
    rowUnits,
    rowsOfUnit: perUnit.tiles * tile.rows,
    columnUnits,
  }
}

/** The kernel as code, or why it has none. */
export const gemm = (kernel: GemmKernel, machine: Machine): E.Either<Unsupported, Generated> => {
  const { x, y, output, dtype, epilogue: body } = kernel
  if (x.dtype !== 'f32' || y.dtype !== 'f32' || dtype !== 'f32')
    return E.left({ kind: 'contraction', from: x.dtype, to: dtype })
  const form = contractionOfGemm(kernel)
  if (form === undefined) return E.left({ kind: 'axes' })
  const shape = shapeOfGemm(kernel)
  const ends = body === undefined ? E.right(undefined) : epilogueOf(body, output, shape)
  if (E.isLeft(ends)) return ends
  const epilogue = ends.right
  const ending = epilogue && { epilogue, first: 0, batches: range(shape[0]).map((i) => ({ batch: i, column: 0 })) }
  const arrays: Arrays = { x: inBuffer(x.buffer), y: inBuffer(y.buffer), out: inBuffer(output) }
  return E.right(contraction(form, arrays, machine, ending))
}
