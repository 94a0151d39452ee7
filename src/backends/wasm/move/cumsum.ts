/**
 * Running sums. Each is in f64, or wraps, and goes along its line in order: what a line gives depends on no other, so threads share lines. A sum
 * waits for the one before it; so a unit goes along several lines at once, whose sums do not wait for each other.
 */
import { bytesPerElement } from '../../../graph/dtype.ts'
import type { CumsumKernel } from '../../../compiler/kernel.ts'
import { block, inBuffer, words } from '../emit/block.ts'
import { codeLater, phase, type Phase } from '../emit/kernelCode.ts'
import type { Columns, Lines } from './cumsumCode.ts'

/** Lines that a unit goes along at once, whose elements are not neighbours. */
const most = 4

/** Its functions are written by `writeLines`. */
export const linesCode = codeLater<Lines>()('cumsum of lines', () =>
  block(words('to', 'from', 'lines', 'length', 'inner', 'first', 'step')),
)

/** Its functions are written by `writeColumns`. */
export const columnsCode = codeLater<Columns>()('cumsum of columns', () =>
  block(words('to', 'from', 'strips', 'length', 'inner', 'first', 'step')),
)

/** Elements that are worth a thread's attention. */
const worthwhile = 4096

/** Running sums along the middle axis. */
export const cumsum = ({ from, outer, length, inner, reverse, output, dtype }: CumsumKernel): Phase => {
  const places = {
    to: inBuffer(output),
    from: inBuffer(from.buffer),
    length,
    inner,
    first: reverse ? (length - 1) * inner : 0,
    step: (reverse ? -inner : inner) * bytesPerElement[dtype],
  }
  const width = dtype === 'f32' ? [16, 8, 4].find((w) => inner % w === 0) : undefined
  const grainOf = (lines: number): number => Math.max(1, Math.ceil(worthwhile / (length * lines)))
  if (width === undefined) {
    const lines = outer * inner
    const together = Math.min(lines, most)
    const work = { units: Math.ceil(lines / together), grain: grainOf(together) }
    return phase(linesCode, { dtype, together }, { ...places, lines }, work)
  }
  const strips = inner / width
  return phase(columnsCode, { width }, { ...places, strips }, { units: outer * strips, grain: grainOf(width) })
}
