/** Rows as a text to read, and what can only be checked when both sides are there. */
import { at } from '../../src/prelude/array.ts'
import { showBytes } from '../../src/index.ts'
import { showSeconds, table } from '../report.ts'
import type { CheckRow, EndRow, FactRow, Row, StepRow, TimeRow } from './rows.ts'

const ofKind = <K extends Row['kind']>(rows: readonly Row[], kind: K): readonly Extract<Row, { kind: K }>[] =>
  rows.filter((row): row is Extract<Row, { kind: K }> => row.kind === kind)

/** How far losses may be apart, as a part: both sum in f32, in other orders. */
const lossTolerance = 1e-3

/** The losses of all sides on the same weights and images. */
export const comparedLosses = (rows: readonly Row[]): readonly CheckRow[] => {
  const steps = ofKind(rows, 'step').filter(({ precision }) => precision === 'f32')
  return steps.flatMap((theirs) => {
    const ours = steps.find((s) => s.side === 'fathom' && s.name === theirs.name && s.batch === theirs.batch)
    if (theirs.side === 'fathom' || ours === undefined) return []
    const errors = theirs.losses.map((loss, i) => Math.abs(loss - (ours.losses[i] ?? loss)) / Math.abs(loss))
    const error = Math.max(...errors)
    const same = theirs.parameters === ours.parameters
    return [
      {
        kind: 'check',
        side: theirs.side,
        name: `${theirs.name}: ${theirs.side}'s losses (${theirs.mode}) and fathom's, from the same weights`,
        ok: same && error <= lossTolerance,
        error: Number.isFinite(error) ? error : 1e9,
        tolerance: lossTolerance,
        detail: `${theirs.losses.join(' ')} and ${ours.losses.join(' ')}; ${theirs.parameters} and ${ours.parameters} parameters`,
      } as const,
    ]
  })
}

const checkLine = ({ ok, name, error, tolerance, detail }: CheckRow): string =>
  `${ok ? 'ok    ' : 'FAILED'} ${name}${error === undefined ? '' : `: ${error.toExponential(1)} of at most ${tolerance?.toExponential(1) ?? '?'}`}${ok || detail === undefined ? '' : ` (${detail})`}`

const factLine = ({ name, value }: FactRow): string =>
  `${name}: ${typeof value === 'object' ? value.join(', ') : String(value)}`

const isForm = ({ mode }: { readonly mode: string }): boolean => mode.startsWith('form ')

const figure = (x: number | undefined): string => (x === undefined ? '' : x < 10 ? x.toFixed(2) : x.toFixed(0))
const seconds = (ms: number | undefined): string => (ms === undefined ? '' : showSeconds(ms / 1000))

const timeCells = ({
  name,
  side,
  mode,
  precision,
  ms,
  spread,
  gpuMs,
  gflops,
  gigabytes,
}: TimeRow): readonly string[] => [
  name,
  side,
  precision,
  mode,
  seconds(ms),
  `${(100 * spread).toFixed(0)} %`,
  seconds(gpuMs),
  figure(gflops),
  figure(gigabytes),
]

const stepCells = (s: StepRow): readonly string[] => [
  s.name,
  s.side,
  s.precision,
  s.mode,
  String(s.batch),
  seconds(s.ms),
  `${(100 * s.spread).toFixed(0)} %`,
  seconds(s.gpuMs),
  seconds(s.hostMs),
  s.launches === undefined ? '' : String(s.launches),
  seconds(1000 * s.firstSeconds),
  s.bytes === undefined ? '' : showBytes(s.bytes),
  at([...s.losses, NaN], 0).toPrecision(6),
]

/** Rows by a key, in the order in which keys first came; `Map.groupBy` is newer than Node 20. */
const groups = <R>(rows: readonly R[], keyOf: (row: R) => string): readonly (readonly R[])[] =>
  [...new Set(rows.map(keyOf))].map((key) => rows.filter((row) => keyOf(row) === key))

/** Rows of one name together, in the order in which names first came. */
const together = <R extends { readonly name: string }>(rows: readonly R[]): readonly R[] =>
  groups(rows, ({ name }) => name).flat()

/** The fastest form of each contraction. */
const fastestForms = (rows: readonly TimeRow[]): readonly TimeRow[] =>
  groups(rows.filter(isForm), ({ name, precision }) => `${name} ${precision}`).map((forms) =>
    forms.reduce((best, form) => (form.ms < best.ms ? form : best)),
  )

const endLine = ({ stage, ok, seconds, why }: EndRow): string =>
  `${ok ? 'ok    ' : 'FAILED'} ${stage} (${seconds.toFixed(1)} s)${why === undefined ? '' : `: ${why}`}`

/** The whole report. */
export const report = (rows: readonly Row[]): string => {
  const [checks, times, steps] = [ofKind(rows, 'check'), ofKind(rows, 'time'), ofKind(rows, 'step')]
  const failed = checks.filter(({ ok }) => !ok)
  const heads = {
    times: ['kernel', 'side', 'precision', 'how', 'a run', '±', 'on the GPU', 'GFLOP/s', 'GB/s'],
    steps: [
      'step',
      'side',
      'precision',
      'how',
      'batch',
      'a step',
      '±',
      'on the GPU',
      'host',
      'launches',
      'first',
      'memory',
      'loss',
    ],
  }
  const tableOf = (head: readonly string[], cells: readonly (readonly string[])[]): string =>
    cells.length === 0 ? 'none' : table([head, ...cells])
  const sections: readonly (readonly [string, string])[] = [
    ['Stages', ofKind(rows, 'end').map(endLine).join('\n')],
    ['The machine', ofKind(rows, 'fact').map(factLine).join('\n')],
    [
      `Checks: ${checks.length - failed.length} of ${checks.length} hold`,
      [...failed, ...checks.filter(({ ok, name }) => ok && !name.includes('in the form'))].map(checkLine).join('\n'),
    ],
    ['Training steps', tableOf(heads.steps, together(steps).map(stepCells))],
    ['Kernels', tableOf(heads.times, together(times.filter((t) => !isForm(t))).map(timeCells))],
    ['The fastest form of each contraction', tableOf(heads.times, fastestForms(times).map(timeCells))],
  ]
  return `${sections.map(([title, text]) => `${title}\n${'-'.repeat(title.length)}\n${text}`).join('\n\n')}\n`
}
