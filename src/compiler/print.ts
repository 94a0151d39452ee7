/** A plan as text: every kernel with what it computes, why it ends there, what it reads and writes, and what it costs. */
import { at } from '../prelude/array.ts'
import { bytesPerElement } from '../graph/dtype.ts'
import { sizeOf } from '../graph/shape.ts'
import { showChoices, type KernelChoices } from './choices.ts'
import { operandsOf, resultsOf, type Kernel, type Routine } from './kernel.ts'
import { bytesOf, flopsOf } from './cost.ts'
import type { Plan } from './plan.ts'
import { showReason } from './reason.ts'

/**
 * `1.5 kB`, `12 MB`: decimal units, three digits at most.
 *
 * @example
 * ```ts
 * import { showBytes } from 'fathom'
 *
 * showBytes(1500) // => '1.50 kB'
 * showBytes(12_000_000) // => '12 MB'
 * ```
 */
export const showBytes = (bytes: number): string => showCount(bytes, ['B', 'kB', 'MB', 'GB', 'TB'])

/**
 * `1.5 kFLOP`, `12 MFLOP`.
 *
 * @example
 * ```ts
 * import { showFlops } from 'fathom'
 *
 * showFlops(12_300_000) // => '12.3 MFLOP'
 * ```
 */
export const showFlops = (flops: number): string => showCount(flops, ['FLOP', 'kFLOP', 'MFLOP', 'GFLOP', 'TFLOP'])

const showCount = (n: number, units: readonly string[]): string => {
  const power = n < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(n) / 3))
  const value = n / 1000 ** power
  return `${value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)} ${at(units, power)}`
}

const bufferName = (plan: Routine, index: number): string => {
  const { placement } = at(plan.buffers, index)
  switch (placement.kind) {
    case 'argument':
      return `arg${placement.index}`
    case 'output':
      return `out${placement.index}`
    case 'literal':
      return 'literal'
    case 'temporary':
      return `t${index}@${placement.offset}`
  }
}

/** `out0:f32×12`, and of several results with one dtype and length `out0 out1:f32×12`. */
const showResults = (plan: Routine, kernel: Kernel): string => {
  const results = resultsOf(kernel)
  const kinds = results.map(({ buffer, dtype }) => `:${dtype}×${at(plan.buffers, buffer).length}`)
  return someOf(
    results.map(({ buffer }, i) => `${bufferName(plan, buffer)}${kinds[i + 1] === kinds[i] ? '' : at(kinds, i)}`),
  )
}

const heads = ['kind', 'writes', 'computes', 'reads', 'work', 'traffic', 'ends because'] as const
/** Names in a row, of many the first: a group may have hundreds. */
const someOf = (names: readonly string[]): string =>
  names.length <= 8 ? names.join(' ') : `${names.slice(0, 6).join(' ')} and ${names.length - 6} more`

const columns = (rows: readonly (readonly string[])[]): readonly string[] => {
  const widths = at(rows, 0).map((_, c) => Math.max(...rows.map((r) => at(r, c).length)))
  return rows.map((r) =>
    r
      .map((cell, c) => cell.padEnd(at(widths, c)))
      .join('  ')
      .trimEnd(),
  )
}

/** A kernel's row; behind that of a loop those of its body, set in, each as it is in one turn. */
const rowsOf = (plan: Routine, k: Kernel, indent: string): readonly (readonly string[])[] => [
  [
    `${indent}${k.kind}`,
    showResults(plan, k),
    k.computes.length > 60 ? `${k.computes.slice(0, 57)}...` : k.computes,
    `reads ${someOf([...new Set(operandsOf(k).map((o) => bufferName(plan, o.buffer)))]) || 'nothing'}`,
    showFlops(k.flops),
    showBytes(bytesOf(plan, k)),
    showReason(k.reason),
  ],
  ...(k.kind === 'loop' ? k.body.kernels.flatMap((inner) => rowsOf(k.body, inner, `${indent}  `)) : []),
]

/** The plan as a table, with the totals in the last line. @param choices what a backend chose for each kernel, in the last column */
export const printPlan = (plan: Plan, choices?: readonly KernelChoices[]): string => {
  const rows = plan.kernels.flatMap((k, i) =>
    rowsOf(plan, k, '').map((row, j) =>
      choices === undefined ? row : [...row, j === 0 ? showChoices(choices[i] ?? {}) : ''],
    ),
  )
  const bytes = (slots: Plan['outputs']): string =>
    showBytes(slots.reduce((sum, s) => sum + sizeOf(s.shape) * bytesPerElement[s.dtype], 0))
  const total = `${plan.kernels.length} kernels · ${showFlops(flopsOf(plan))} · arguments ${bytes(plan.arguments)} · outputs ${bytes(plan.outputs)} · arena ${showBytes(plan.arenaBytes)}`
  return [
    ...(rows.length === 0 ? [] : columns([[...heads, ...(choices === undefined ? [] : ['computed with'])], ...rows])),
    total,
  ].join('\n')
}
