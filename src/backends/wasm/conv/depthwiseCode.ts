/**
 * The loops of depthwise convolutions, over neighbouring channels. Along a row of pixels, the filter's taps stay in registers and pixels pass; for
 * its gradient the sums stay there, and pixels of both images pass.
 */
import { range } from '../../../prelude/array.ts'
import { add, apply, branch, countTo, get, i32, loop, mul, select, set, store, sub } from '../assembler/code.ts'
import type { Expression, Local } from '../assembler/code.ts'
import { block, kept, words } from '../emit/block.ts'
import { fadd, fmul, fresh, inside, keep, lanesOfBits, type Emitter } from '../emit/emitter.ts'
import { code } from '../emit/kernelCode.ts'
import { eachUnit } from '../emit/opening.ts'

/** What the loops depend on: a window of rows × columns, how many bytes its columns lie apart, and vectors of channels that go together. */
export interface Window {
  readonly rows: number
  readonly columns: number
  readonly columnBytes: number
  readonly vectors: 1 | 2
  readonly fma: boolean
}

/** `write` for each block of channels, by the bytes before it; the last block ends with the last channel, though it begins in the one before. */
const eachBlock = (
  e: Emitter,
  { vectors }: Window,
  bytes: Expression,
  write: (e: Emitter, c: Expression) => void,
): void => {
  const [own, channel] = [16 * vectors, fresh(e, 'channel', 'i32')]
  const last = keep(e, 'last', sub(bytes, i32(own)))
  const turn = inside(e)
  write(turn, keep(turn, 'c', select(apply('i32.lt_s', [get(channel), last]), get(channel), last)))
  e.statements.push(set(channel, i32(0)), countTo(channel, bytes, own, turn.statements))
}

const multiplyAdd = ({ fma }: Window, a: Expression, b: Expression, sum: Expression): Expression =>
  fma ? apply('f32x4.relaxed_madd', [a, b, sum]) : fadd(sum, fmul(a, b))

/** Pointers to the first column of each row of the window. */
const rowPointers = (e: Emitter, { rows }: Window, first: Expression, step: Expression): readonly Local[] =>
  range(rows).map((i) => {
    const pointer = fresh(e, 'row', 'i32')
    e.statements.push(set(pointer, add(first, mul(step, i32(i)))))
    return pointer
  })

/** `count` turns, at least one; each moves the pointers on. */
const turns = (
  e: Emitter,
  count: Expression,
  turn: Emitter,
  moves: readonly (readonly [pointer: Local, step: Expression])[],
): void => {
  const left = fresh(e, 'left', 'i32')
  e.statements.push(
    set(left, count),
    loop(left.name, [
      ...turn.statements,
      ...moves.map(([pointer, step]) => set(pointer, add(get(pointer), step))),
      set(left, sub(get(left), i32(1))),
      branch(left.name, get(left)),
    ]),
  )
}

/** A unit is a row of output pixels: out[p, c] = Σ x[p + tap, c] · w[tap, c]. Steps are bytes. */
export const pixelsCode = code(
  'depthwise',
  () =>
    block({
      ...words('x', 'w', 'out', 'channelBytes', 'lines', 'pixels'),
      ...words('xImage', 'xLine', 'xPixel', 'xTapRow', 'wTapRow', 'wTapColumn', 'outImage', 'outLine', 'outPixel'),
    }),
  (unit, window: Window) => {
    const { e, first } = unit
    const w = kept(e, unit.words)
    const { rows, columns, columnBytes, vectors } = window
    const zero = lanesOfBits(e, 0)
    eachUnit(unit, (turnOfUnit) => {
      const image = keep(turnOfUnit, 'image', apply('i32.div_u', [get(first), w.lines]))
      const line = keep(turnOfUnit, 'line', apply('i32.rem_u', [get(first), w.lines]))
      const x = keep(turnOfUnit, 'x', add(w.x, add(mul(image, w.xImage), mul(line, w.xLine))))
      const out = keep(turnOfUnit, 'out', add(w.out, add(mul(image, w.outImage), mul(line, w.outLine))))
      eachBlock(turnOfUnit, window, w.channelBytes, (perBlock, c) => {
        const taps = range(rows * columns).map((tap) => {
          const [i, j] = [Math.floor(tap / columns), tap % columns]
          const at = keep(perBlock, 'at', add(add(w.w, c), add(mul(w.wTapRow, i32(i)), mul(w.wTapColumn, i32(j)))))
          return range(vectors).map((v) => keep(perBlock, 'tap', apply('v128.load', [at], 16 * v)))
        })
        const pointers = rowPointers(perBlock, window, add(x, c), w.xTapRow)
        const target = fresh(perBlock, 'target', 'i32')
        perBlock.statements.push(set(target, add(out, c)))
        const turn = inside(perBlock)
        const sums = range(vectors).map((v) =>
          taps.reduce<Expression>((sum, tap, t) => {
            const [pointer, offset] = [pointers[Math.floor(t / columns)], columnBytes * (t % columns) + 16 * v]
            const pixel = apply('v128.load', [get(pointer as Local)], offset)
            return multiplyAdd(window, pixel, tap[v] as Expression, sum)
          }, zero),
        )
        sums.forEach((sum, v) => turn.statements.push(store('v128.store', get(target), sum, 16 * v)))
        turns(perBlock, w.pixels, turn, [...pointers.map((p) => [p, w.xPixel] as const), [target, w.outPixel]])
      })
    })
  },
)

/**
 * A unit is one part of the lines of pixels, and some rows of the filter: out[part, tap, c] = Σ x[p + tap, c] · g[p, c] over the part's pixels p.
 * Steps are bytes.
 */
export const filterCode = code(
  'depthwise filter',
  () =>
    block({
      ...words('x', 'g', 'out', 'channelBytes', 'lines', 'linesOfImage', 'linesOfPart', 'pixels', 'blocks'),
      ...words('xImage', 'xLine', 'xPixel', 'gImage', 'gLine', 'gPixel', 'xTapRow', 'outRow', 'outColumn', 'outPart'),
    }),
  (unit, window: Window) => {
    const { e, first } = unit
    const w = kept(e, unit.words)
    const { rows, columns, columnBytes, vectors } = window
    const zero = lanesOfBits(e, 0)
    eachUnit(unit, (turnOfUnit) => {
      const part = keep(turnOfUnit, 'part', apply('i32.div_u', [get(first), w.blocks]))
      const row = keep(turnOfUnit, 'row', mul(apply('i32.rem_u', [get(first), w.blocks]), i32(rows)))
      const begin = keep(turnOfUnit, 'begin', mul(part, w.linesOfPart))
      const next = keep(turnOfUnit, 'next', add(begin, w.linesOfPart))
      const end = keep(turnOfUnit, 'end', select(apply('i32.lt_s', [next, w.lines]), next, w.lines))
      const x = keep(turnOfUnit, 'x', add(w.x, mul(row, w.xTapRow)))
      const out = keep(turnOfUnit, 'out', add(w.out, add(mul(part, w.outPart), mul(row, w.outRow))))
      eachBlock(turnOfUnit, window, w.channelBytes, (perBlock, c) => {
        const sums = range(rows * columns * vectors).map(() => fresh(perBlock, 'sum', 'v128'))
        const line = fresh(perBlock, 'line', 'i32')
        perBlock.statements.push(...sums.map((sum) => set(sum, zero)), set(line, begin))
        const perLine = inside(perBlock)
        const image = keep(perLine, 'image', apply('i32.div_u', [get(line), w.linesOfImage]))
        const within = keep(perLine, 'within', apply('i32.rem_u', [get(line), w.linesOfImage]))
        const start = (base: Expression, ofImage: Expression, ofLine: Expression): Expression =>
          keep(perLine, 'start', add(add(base, c), add(mul(image, ofImage), mul(within, ofLine))))
        const pointers = rowPointers(perLine, window, start(x, w.xImage, w.xLine), w.xTapRow)
        const g = fresh(perLine, 'g', 'i32')
        perLine.statements.push(set(g, start(w.g, w.gImage, w.gLine)))
        const turn = inside(perLine)
        const given = range(vectors).map((v) => keep(turn, 'given', apply('v128.load', [get(g)], 16 * v)))
        sums.forEach((sum, k) => {
          const [tap, v] = [Math.floor(k / vectors), k % vectors]
          const [pointer, offset] = [pointers[Math.floor(tap / columns)], columnBytes * (tap % columns) + 16 * v]
          const pixel = apply('v128.load', [get(pointer as Local)], offset)
          turn.statements.push(set(sum, multiplyAdd(window, pixel, given[v] as Expression, get(sum))))
        })
        turns(perLine, w.pixels, turn, [...pointers.map((p) => [p, w.xPixel] as const), [g, w.gPixel]])
        perBlock.statements.push(countTo(line, end, 1, perLine.statements))
        sums.forEach((sum, k) => {
          const [tap, v] = [Math.floor(k / vectors), k % vectors]
          const [i, j] = [Math.floor(tap / columns), tap % columns]
          const at = add(add(out, c), add(mul(w.outRow, i32(i)), mul(w.outColumn, i32(j))))
          perBlock.statements.push(store('v128.store', at, get(sum), 16 * v))
        })
      })
    })
  },
)
