/** Machines for which code can be generated here; others compute the same, within rounding. */
import { capabilities } from '../../src/backends/wasm/machine.ts'

const all = [
  { fma: false, wide: false },
  { fma: false, wide: true },
  { fma: true, wide: false },
  { fma: true, wide: true },
] as const

/** Those that this JavaScript engine runs. */
export const machines = all.filter((m) => !m.fma || capabilities().fma)
