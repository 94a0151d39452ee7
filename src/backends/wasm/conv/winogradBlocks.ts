/**
 * Winograd's three phases a block of tiles at a time: transform, multiply, transform back. A block's points and sums are read while they are in the
 * cache, where all tiles' would go through memory four times. The points of the filter are read again for each block, so it pays where these are
 * few.
 */
import { block, word, words } from '../emit/block.ts'
import { codeLater, phase, type Parameter, type Phase } from '../emit/kernelCode.ts'

const callField = block(words('function', 'block'))

/** Its functions are written by `writeBlocks`. */
export const blocksCode = codeLater()('winograd blocks', () =>
  block({
    gather: callField,
    multiply: callField,
    scatter: callField,
    tiles: word,
    tilesPerUnit: word,
    units: word,
    products: word,
  }),
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
