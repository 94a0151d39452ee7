/**
 * The indices that sort: merge sort from the bottom, stable, by ping-pong between two rows of indices. A unit is one sorted row. Numbers come in
 * their order, what is no number last.
 */
import type { SortKernel } from '../../../compiler/kernel.ts'
import { block, inBuffer, inScratch, words } from '../emit/block.ts'
import { codeLater, phase, type Generated } from '../emit/kernelCode.ts'
import { sortDigits } from './sortDigits.ts'
import type { Sorting } from './sortCode.ts'

/** Its functions are written by `writeSort`. */
export const sortCode = codeLater<Sorting>()('sort', () => block(words('out', 'source', 'scratch', 'length', 'inner')))

/** argsort: by digits where rows are long, else by merging. */
export const sort = (kernel: SortKernel): Generated => sortDigits(kernel) ?? sortByMerging(kernel)

const sortByMerging = ({ from, outer, length, inner, output }: SortKernel): Generated => ({
  phases: [
    phase(
      sortCode,
      { dtype: from.dtype },
      { out: inBuffer(output), source: inBuffer(from.buffer), scratch: inScratch(0), length, inner },
      {
        units: length === 0 ? 0 : outer * inner,
        grain: Math.max(1, Math.ceil(256 / Math.max(1, length))),
      },
    ),
  ],
  scratch: 8 * outer * length * inner,
})
