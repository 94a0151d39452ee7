/** Measurements as records, as a table and as JSON. */
import { showBytes } from '../src/compiler/print.ts'
import { bytesOf, flopsOf, memoryOf } from '../src/compiler/cost.ts'
import type { MachinePeak } from '../src/compiler/profile.ts'
import type { Group, Prepared } from './subjects.ts'
import type { Timing } from './timing.ts'

/** What was measured of a subject on a backend. */
export interface Measurement extends Timing {
  readonly group: Group
  readonly name: string
  readonly backend: string
  /** Of one run. */
  readonly flops: number
  /** Traffic of its kernels, each buffer counted once a kernel. */
  readonly bytes: number
  readonly gflops: number
  readonly gigabytes: number
  /** The least time that the machine would need, for arithmetic or traffic, over the median. */
  readonly ofPeak: number
  /** The share of a run that no kernel took; absent where kernels cannot be timed. */
  readonly host?: number
  /** Bytes that the plan needs: arguments, outputs and temporaries. */
  readonly planned: number
}

/**
 * A measurement from its parts.
 *
 * @param peak of as many cores as the backend uses
 */
export const measurementOf = (
  subject: { readonly group: Group; readonly name: string },
  backend: string,
  { plan, plans }: Prepared,
  timing: Timing,
  peak: MachinePeak,
): Measurement => {
  const flops = plans * flopsOf(plan)
  const bytes = plans * plan.kernels.reduce((sum, kernel) => sum + bytesOf(plan, kernel), 0)
  // Each kernel has its own roof: a plan's least time is the sum of theirs.
  const least =
    plans *
    plan.kernels.reduce(
      (sum, k) => sum + Math.max(k.flops / peak.flopsPerSecond, bytesOf(plan, k) / peak.bytesPerSecond),
      0,
    )
  return {
    group: subject.group,
    name: subject.name,
    backend,
    ...timing,
    flops,
    bytes,
    gflops: flops / timing.median / 1e9,
    gigabytes: bytes / timing.median / 1e9,
    ofPeak: least / timing.median,
    planned: memoryOf(plan),
  }
}

/** `12.3 ms`, `1.20 s`. */
export const showSeconds = (s: number): string =>
  s >= 1 ? `${s.toPrecision(3)} s` : s >= 1e-3 ? `${(1e3 * s).toPrecision(3)} ms` : `${(1e6 * s).toPrecision(3)} µs`

const percent = (x: number): string => `${(100 * x).toFixed(0)} %`

/** Rows of cells in columns: the first to the left, the rest to the right. */
export const table = (rows: readonly (readonly string[])[]): string => {
  const widths = (rows[0] ?? []).map((_, c) => Math.max(...rows.map((row) => row[c]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((cell, c) => (c === 0 ? cell.padEnd(widths[c] ?? 0) : cell.padStart(widths[c] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** The measurements as a table. */
export const measurementTable = (measurements: readonly Measurement[]): string =>
  table([
    ['', 'backend', 'a run', '±', 'GFLOP/s', 'GB/s', 'of peak', 'host', 'memory'],
    ...measurements.map((m) => [
      m.name,
      m.backend,
      showSeconds(m.median),
      percent(m.spread),
      m.gflops.toFixed(m.gflops < 10 ? 2 : 1),
      m.gigabytes.toFixed(1),
      percent(m.ofPeak),
      m.host === undefined ? '' : `${(100 * m.host).toFixed(1)} %`,
      showBytes(m.planned),
    ]),
  ])
