/**
 * The indices that sort, digit by digit: numbers become words whose order as u32 is theirs, and pairs of word and index are put in the order of one
 * digit after the other, from the lowest (radix sort; Knuth, TAOCP 3, 5.2.5). Each pass is stable, and so is the whole. A unit is one sorted row.
 */
import type { SortKernel } from '../../../compiler/kernel.ts'
import { block, inBuffer, inScratch, words } from '../emit/block.ts'
import { codeLater, phase, type Generated } from '../emit/kernelCode.ts'
import { counterBytes, type Digits } from './digits.ts'

/** Digits: few large ones for long rows, whose counters need memory; and the shortest rows that are sorted so. */
const digits = [
  { bits: 11, from: 4096 },
  { bits: 8, from: 128 },
] as const

/** Its functions are written by `writeSortDigits`. */
export const digitsCode = codeLater<Digits>()('sort by digits', () =>
  block(words('out', 'source', 'scratch', 'length', 'inner', 'rowBytes')),
)

/** Rows of numbers of at most 32 bits that are long enough, sorted by their digits; undefined for all others. */
export const sortDigits = ({ from, outer, length, inner, output }: SortKernel): Generated | undefined => {
  const found = digits.find((d) => length >= d.from)
  if (found === undefined || from.dtype === 'f64') return undefined
  const { bits } = found
  const rowBytes = counterBytes(bits) + 16 * length
  return {
    phases: [
      phase(
        digitsCode,
        { dtype: from.dtype, bits },
        { out: inBuffer(output), source: inBuffer(from.buffer), scratch: inScratch(0), length, inner, rowBytes },
        { units: outer * inner, grain: 1 },
      ),
    ],
    scratch: outer * inner * rowBytes,
    choices: { sort: 'by digits', bits },
  }
}
