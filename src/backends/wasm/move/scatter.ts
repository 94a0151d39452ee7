/**
 * out[o, index[p], :] += updates[o, p, :] into zeros. Rows of some length have code of their own (scatterRows.ts). A unit is one `o` and a strip of the columns, and goes through all p in order: no two units
 * write the same element, and sums do not depend on who computes what.
 *
 * Sums are f64 in scratch memory, rounded once at the end, as cpu's are; f64 and integers are summed in the output itself.
 */
import { bytesPerElement, type DType } from '../../../graph/dtype.ts'
import type { ScatterKernel } from '../../../compiler/kernel.ts'
import { block, inBuffer, inScratch, words } from '../emit/block.ts'
import { codeLater, phase, type Generated, type Phase } from '../emit/kernelCode.ts'
import { chunk, clear } from './bytes.ts'
import type { Adding } from './scatterCode.ts'
import { isByRows, scatterRows } from './scatterRows.ts'
import { strip, sumType } from './scatterSums.ts'

/** Its functions are written by `writeSums`. */
export const addCode = codeLater<Adding>()('scatter', () =>
  block(words('to', 'from', 'indices', 'strips', 'picks', 'inner', 'lastRow')),
)

/** Its functions are written by `writeRounding`. */
export const roundCode = codeLater<Pick<Adding, 'dtype'>>()('round', () => block(words('to', 'from', 'size')))

/** Sums from scratch memory into the output. */
const round = (output: number, dtype: DType, size: number): Phase =>
  phase(
    roundCode,
    { dtype },
    { to: inBuffer(output), from: inScratch(0), size },
    { units: Math.ceil(size / chunk), grain: 1 },
  )

/** Long rows each by itself, short ones together. */
export const scatter = (kernel: ScatterKernel): Generated =>
  isByRows(kernel) ? scatterRows(kernel) : scatterTogether(kernel)

/** Zeros, sums, and, where sums are wider than the output, rounding. */
const scatterTogether = ({ updates, index, extent, output, dtype }: ScatterKernel): Generated => {
  const { outer, rows, picks, inner } = extent
  const size = outer * rows * inner
  const inPlace = sumType(dtype) === dtype
  const bytes = size * bytesPerElement[sumType(dtype)]
  const sums = inPlace ? inBuffer(output) : inScratch(0)
  const strips = Math.ceil(inner / strip)
  const sum = phase(
    addCode,
    { dtype, isSigned: index.dtype === 'i32' },
    {
      to: sums,
      from: inBuffer(updates.buffer),
      indices: inBuffer(index.buffer),
      strips,
      picks,
      inner,
      lastRow: rows - 1,
    },
    {
      units: picks === 0 ? 0 : outer * strips,
      grain: Math.max(1, Math.ceil(4096 / Math.max(1, picks * Math.min(inner, strip)))),
    },
  )
  const zeros = clear(sums, bytes)
  if (inPlace) return { phases: [zeros, sum], scratch: 0 }
  return { phases: [zeros, sum, round(output, dtype, size)], scratch: bytes }
}
