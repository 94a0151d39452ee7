/** out[o, p, :] = table[o, index[p], :]: rows picked by an index, which is clamped to the rows that there are. */
import { bytesPerElement } from '../../../graph/dtype.ts'
import type { GatherKernel } from '../../../compiler/kernel.ts'
import { block, inBuffer, words } from '../emit/block.ts'
import { codeLater, phase, type Phase } from '../emit/kernelCode.ts'
import { chunk, isPiece } from './bytes.ts'
import type { Gathering } from './gatherCode.ts'

/** Its functions are written by `writeGather`. */
export const gatherCode = codeLater<Gathering>()('gather', () =>
  block(words('to', 'from', 'indices', 'total', 'perUnit', 'picks', 'length', 'lastRow')),
)

/** Rows as units: a unit is `perUnit` rows of the output. */
export const gather = ({ table, index, extent, output, dtype }: GatherKernel): Phase => {
  const size = bytesPerElement[dtype]
  const { outer, rows, picks, inner } = extent
  const bytes = inner * size
  const perUnit = Math.max(1, Math.floor(chunk / Math.max(1, bytes)))
  return phase(
    gatherCode,
    {
      size: isPiece(bytes) ? bytes : size,
      isSigned: index.dtype === 'i32',
      isSingle: isPiece(bytes),
      isOne: outer === 1,
    },
    {
      to: inBuffer(output),
      from: inBuffer(table.buffer),
      indices: inBuffer(index.buffer),
      total: outer * picks,
      perUnit,
      picks,
      length: bytes,
      lastRow: rows - 1,
    },
    { units: bytes === 0 ? 0 : Math.ceil((outer * picks) / perUnit), grain: 1 },
  )
}
