/**
 * The code of Winograd's transforms over both axes of tiles: one axis after the other, each a pass over the channels of some pixels or points.
 * What lies between the two passes is kept where the points are, so a tile needs no memory besides.
 *
 * Channels are the vectors' lanes, eight at a time: two vectors that lie side by side, from which V8 makes one of 256 bits. A function is made
 * for a number of channels, so that all distances inside a tile are constants of its instructions.
 */
import { range } from '../../../prelude/array.ts'
import {
  add,
  apply,
  countTo,
  get,
  i32,
  mul,
  performIndirect,
  select,
  set,
  store,
  type Expression,
  type Local,
} from '../assembler/code.ts'
import { kept, type ReadOf, type Words } from '../emit/block.ts'
import { fadd, fmul, fresh, fsub, inside, keep, lanes, type Emitter } from '../emit/emitter.ts'
import { eachUnit, type Unit } from '../emit/opening.ts'
import { writeEpilogue, type epilogueField } from '../gemm/gemmEpilogue.ts'
import { winograds, type Arithmetic } from '../../../compiler/contraction/winograd.ts'
import { lanesAtOnce, scatteredWords, tileBytes, type Form, type ScatteringForm } from './winogradForm.ts'

/** Where the channels of one pixel or point begin: a pointer and constant bytes. */
interface Place {
  readonly pointer: Expression
  readonly bytes: number
}

/** Places that lie `step` bytes apart. */
const places = (pointer: Expression, count: number, step: number): readonly Place[] =>
  range(count).map((k) => ({ pointer, bytes: k * step }))

/** Arithmetic of vectors whose results are named, so that each is computed once. @param fma whether products may be added in one operation */
const vectors = (e: Emitter, fma: boolean): Arithmetic<Expression> => {
  const named = (x: Expression): Expression => keep(e, 'value', x)
  const plus = (x: Expression, y: Expression): Expression => named(fadd(x, y))
  const times = (a: number, x: Expression): Expression => named(fmul(lanes(e, a), x))
  return {
    plus,
    times,
    minus: (x, y) => named(fsub(x, y)),
    scaled: (a, x, y) => (fma ? named(apply('f32x4.relaxed_madd', [lanes(e, a), x, y])) : plus(times(a, x), y)),
  }
}

/** Transforms the channels of some places into those of others, `bytes` of each. */
const writePass = (
  e: Emitter,
  { outputs, transform, fma }: Form,
  from: readonly Place[],
  to: readonly Place[],
  bytes: number,
): void => {
  const channel = fresh(e, 'channel', 'i32')
  const turn = inside(e)
  const addresses = new Map<Expression, Expression>()
  const addressOf = ({ pointer }: Place): Expression => {
    const address = addresses.get(pointer) ?? keep(turn, 'address', add(pointer, get(channel)))
    addresses.set(pointer, address)
    return address
  }
  const halves = [0, 16]
  const loaded = from.map((p) => {
    const address = addressOf(p)
    return halves.map((half) => keep(turn, 'from', apply('v128.load', [address], p.bytes + half)))
  })
  const results = halves.map((_, h) =>
    winograds[outputs][transform].of(
      loaded.map((pair) => pair[h] as Expression),
      vectors(turn, fma),
    ),
  )
  to.forEach((p, k) => {
    const address = addressOf(p)
    halves.forEach((half, h) =>
      turn.statements.push(store('v128.store', address, results[h]?.[k] as Expression, p.bytes + half)),
    )
  })
  e.statements.push(set(channel, i32(0)), countTo(channel, i32(bytes), 4 * lanesAtOnce, turn.statements))
}

/** Repeats what is written for a local that goes from `first` on in steps, `count` times; `moving` locals go with it, in steps of their own. */
const repeat = (
  e: Emitter,
  count: number,
  moving: readonly (readonly [Local, first: Expression, step: number])[],
  write: (e: Emitter) => void,
): void => {
  const turns = fresh(e, 'turn', 'i32')
  const turn = inside(e)
  write(turn)
  turn.statements.push(...moving.map(([local, , step]) => set(local, add(get(local), i32(step)))))
  e.statements.push(
    ...moving.map(([local, first]) => set(local, first)),
    set(turns, i32(0)),
    countTo(turns, i32(count), 1, turn.statements),
  )
}

/** The pixel at the offset that an entry of a record holds, or `otherwise` where there is none. */
const pixelAt = (e: Emitter, entry: Expression, index: number, base: Expression, otherwise: Expression): Place => {
  const offset = keep(e, 'offset', apply('i32.load', [entry], 4 * index))
  const pointer = select(apply('i32.ge_s', [offset, i32(0)]), add(base, offset), otherwise)
  return { pointer: keep(e, 'pixel', pointer), bytes: 0 }
}

/** Pixels to points. A unit is a tile, whose record holds the bytes at which each of its pixels begins; those that are not there are zeros. */
export const writeGathering = (unit: Unit<Words<'pixels' | 'points' | 'zeros' | 'records'>>, form: Form): void => {
  const { e, words: w, first } = unit
  const { outputs, channels, transform } = form
  const { points } = winograds[outputs]
  const [pixelRow, pointBytes] = [winograds[outputs][transform].from, 4 * channels]
  const rowBytes = points * pointBytes
  eachUnit(unit, (turn) => {
    const base = keep(turn, 'pixels', w.pixels)
    const zeros = keep(turn, 'zeros', w.zeros)
    const records = keep(turn, 'records', w.records)
    const record = keep(turn, 'record', add(records, mul(get(first), i32(4 * pixelRow ** 2))))
    const tiles = keep(turn, 'points', w.points)
    const tile = keep(turn, 'tile', add(tiles, mul(get(first), i32(tileBytes(form)))))
    const [entry, column, row] = [fresh(e, 'entry', 'i32'), fresh(e, 'column', 'i32'), fresh(e, 'row', 'i32')]
    const columns = [
      [entry, record, 4],
      [column, tile, pointBytes],
    ] as const
    repeat(turn, pixelRow, columns, (perColumn) => {
      const pixels = range(pixelRow).map((i) => pixelAt(perColumn, get(entry), i * pixelRow, base, zeros))
      writePass(perColumn, form, pixels, places(get(column), points, rowBytes), pointBytes)
    })
    repeat(turn, points, [[row, tile, rowBytes]], (perRow) => {
      const [from, to] = [places(get(row), pixelRow, pointBytes), places(get(row), points, pointBytes)]
      writePass(perRow, form, from, to, pointBytes)
    })
  })
}

/** The words of a transform that makes the output. */
type ScatteringWords = Words<'points' | 'pixels' | 'records'> & {
  readonly epilogue: ReadOf<ReturnType<typeof epilogueField>>
}

/** Points to pixels. A unit is a tile; its record holds the bytes at which each of its pixels begins, and those that are not there are dropped. */
export const writeScattering = (unit: Unit<ScatteringWords>, form: ScatteringForm): void => {
  const { e, words: w, first } = unit
  const { outputs, channels, transform, epilogue } = form
  const [pixelRow, pointBytes] = [winograds[outputs][transform].to, 4 * channels]
  const pixels = pixelRow ** 2
  const { points } = winograds[outputs]
  const [rowBytes, recordBytes] = [points * pointBytes, 4 * scatteredWords(pixels)]
  eachUnit(unit, (turn) => {
    const base = keep(turn, 'pixels', w.pixels)
    const records = keep(turn, 'records', w.records)
    const record = keep(turn, 'record', add(records, mul(get(first), i32(recordBytes))))
    const tiles = keep(turn, 'points', w.points)
    const tile = keep(turn, 'tile', add(tiles, mul(get(first), i32(tileBytes(form)))))
    writePass(turn, form, places(tile, points, rowBytes), places(tile, pixelRow, rowBytes), rowBytes)
    // Rows of points behind those of pixels are read no more: what is not there goes into them.
    const nowhere = keep(turn, 'nowhere', add(tile, i32(pixelRow * rowBytes)))
    const [entry, row] = [fresh(e, 'entry', 'i32'), fresh(e, 'row', 'i32')]
    const rows = [
      [entry, record, 4 * pixelRow],
      [row, tile, rowBytes],
    ] as const
    repeat(turn, pixelRow, rows, (perRow) => {
      const targets = range(pixelRow).map((j) => pixelAt(perRow, get(entry), j, base, nowhere))
      writePass(perRow, form, places(get(row), points, pointBytes), targets, pointBytes)
    })
    if (epilogue === undefined) return
    writeEpilogue(turn, epilogue, {
      numbers: w.epilogue,
      batch: i32(0),
      out: base,
      firstTile: get(first),
      firstRecord: record,
      recordsEnd: keep(turn, 'end', add(record, i32(recordBytes))),
      recordBytes,
      rows: pixels,
      places: pixels,
      from: i32(0),
      to: i32(pointBytes),
    })
  })
}

/** A function that blocks call, and its block. */
type Call = Words<'function' | 'block'>

/** The words of blocks of tiles. */
type BlockWords = Words<'tiles' | 'tilesPerUnit' | 'units' | 'products'> & {
  readonly gather: Call
  readonly multiply: Call
  readonly scatter: Call
}

/** The three phases a block of tiles at a time: a unit is a block. */
export const writeBlocks = (unit: Unit<BlockWords>): void => {
  const { e, words: w, first } = unit
  const { gather, multiply, scatter, ...numbers } = kept(e, w)
  const { tiles, tilesPerUnit, units, products } = numbers
  eachUnit(unit, (turn) => {
    const begin = keep(turn, 'begin', mul(get(first), tilesPerUnit))
    const next = keep(turn, 'next', add(begin, tilesPerUnit))
    const end = keep(turn, 'end', select(apply('i32.lt_s', [next, tiles]), next, tiles))
    const product = fresh(turn, 'product', 'i32')
    const own = inside(turn)
    const at = keep(own, 'at', add(mul(get(product), units), get(first)))
    own.statements.push(performIndirect(multiply.function, multiply.block, at, add(at, i32(1))))
    const over = (call: Call) => performIndirect(call.function, call.block, begin, end)
    turn.statements.push(
      over(gather),
      set(product, i32(0)),
      countTo(product, products, 1, own.statements),
      over(scatter),
    )
  })
}
