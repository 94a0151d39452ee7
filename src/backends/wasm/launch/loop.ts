/** The code of a loop: that of its body's kernels, which the host runs turn by turn (program.ts). */
import type { Generated } from '../emit/kernelCode.ts'

/** A loop over kernels with this code. */
export const looped = (body: readonly Generated[]): Generated => ({
  phases: [],
  scratch: Math.max(0, ...body.map(({ scratch }) => scratch)),
  body,
})
