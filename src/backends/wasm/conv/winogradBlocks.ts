/**
 * Winograd's three phases a block of tiles at a time: transform, multiply, transform back. A block's points and sums are read while they are in the
 * cache, where all tiles' would go through memory four times. The points of the filter are read again for each block, so it pays where these are
 * few.
 */
import { add, apply, get, i32, mul, performIndirect, select, set, countTo, type Expression } from '../assembler/code.ts'
import { block, kept, word, words } from '../emit/block.ts'
import { fresh, inside, keep } from '../emit/emitter.ts'
import { code, phase, type Parameter, type Phase } from '../emit/kernelCode.ts'
import { eachUnit } from '../emit/opening.ts'

const callField = block(words('function', 'block'))

const blocksCode = code(
  'winograd blocks',
  () =>
    block({
      gather: callField,
      multiply: callField,
      scatter: callField,
      tiles: word,
      tilesPerUnit: word,
      units: word,
      products: word,
    }),
  (unit) => {
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
      const over = (call: { readonly function: Expression; readonly block: Expression }) =>
        performIndirect(call.function, call.block, begin, end)
      turn.statements.push(
        over(gather),
        set(product, i32(0)),
        countTo(product, products, 1, own.statements),
        over(scatter),
      )
    })
  },
)

/** How a phase of products is made of units: those of one product one behind the other. */
export interface ProductUnits {
  /** Units of each product, and rows of a unit. */
  readonly units: number
  readonly rows: number
  /** How many products, or parts of them over columns. */
  readonly products: number
}

const callOf = ({ key, parameters }: Phase): { readonly function: Parameter; readonly block: Parameter } => ({
  function: { kind: 'function', key },
  block: { kind: 'block', words: parameters },
})

/** The three phases as one, a unit of which is a block of tiles. */
export const inBlocks = (
  gather: Phase,
  multiply: Phase,
  scatter: Phase,
  { units, rows, products }: ProductUnits,
): Phase =>
  phase(
    blocksCode,
    {},
    {
      gather: callOf(gather),
      multiply: callOf(multiply),
      scatter: callOf(scatter),
      tiles: gather.units,
      tilesPerUnit: rows,
      units,
      products,
    },
    { units, grain: 1 },
    [gather, multiply, scatter],
  )
