/**
 * What is measured on a GPU, as rows: an object of JSON a line, in one form from fathom, PyTorch and MLX, so that they can stand beside one another.
 */

/** Whose work it is. */
export type Side = 'fathom' | 'torch' | 'mlx'

/** Something about the machine. */
export interface FactRow {
  readonly kind: 'fact'
  readonly side: Side
  readonly name: string
  readonly value: string | number | boolean | readonly string[]
}

/** Whether something came out as it should. A run with one that did not fails. */
export interface CheckRow {
  readonly kind: 'check'
  readonly side: Side
  readonly name: string
  readonly ok: boolean
  readonly error?: number
  readonly tolerance?: number
  readonly detail?: string
}

/** What is told of every time. */
interface Timed {
  readonly side: Side
  /** The work; the same name is the same work on every side. */
  readonly name: string
  /** `f32`, `f16`, `tf32`, `mixed`. */
  readonly precision: string
  /** How it was run: `guessed` or `tuned` forms, `eager`, `reduce-overhead`, … */
  readonly mode: string
  /** The median, of one run. */
  readonly ms: number
  /** Half the distance between the quartiles, as a share of the median. */
  readonly spread: number
  readonly runs: number
  /** By the GPU's own clock, one kernel after the other. */
  readonly gpuMs?: number
}

/** The time of a kernel, or of a few. */
export interface TimeRow extends Timed {
  readonly kind: 'time'
  readonly gflops?: number
  /** GB/s, each operand and result counted once. */
  readonly gigabytes?: number
  /** What the device chose for it. */
  readonly form?: string
}

/** The time of a training step. */
export interface StepRow extends Timed {
  readonly kind: 'step'
  readonly batch: number
  readonly parameters: number
  /** Until the first step was done: tracing, planning, measuring forms, compiling. */
  readonly firstSeconds: number
  /** Of the first steps, from the same weights on every side. */
  readonly losses: readonly number[]
  /** Until a step was handed to the GPU. */
  readonly hostMs?: number
  readonly kernels?: number
  readonly launches?: number
  /** Memory that a step takes at its greatest. */
  readonly bytes?: number
  readonly gflops?: number
}

/** What could not be done, as a check that failed. */
export const failure = (name: string, e: unknown): CheckRow => ({
  kind: 'check',
  side: 'fathom',
  name,
  ok: false,
  detail: (e instanceof Error ? `${e.name}: ${e.message}` : String(e)).slice(0, 1000),
})

/** How a stage ended. */
export interface EndRow {
  readonly kind: 'end'
  readonly stage: string
  readonly ok: boolean
  readonly seconds: number
  readonly why?: string
}

export type Row = FactRow | CheckRow | TimeRow | StepRow | EndRow

const timed = { side: 'string', name: 'string', precision: 'string', mode: 'string', ms: 'number', spread: 'number' }

/** The fields that a row of each kind has in any case, and their types. */
const fields: { readonly [K in Row['kind']]: Readonly<Record<string, string>> } = {
  fact: { side: 'string', name: 'string' },
  check: { side: 'string', name: 'string', ok: 'boolean' },
  time: { ...timed, runs: 'number' },
  step: { ...timed, runs: 'number', batch: 'number', parameters: 'number', firstSeconds: 'number', losses: 'object' },
  end: { stage: 'string', ok: 'boolean', seconds: 'number' },
}

const isKind = (kind: unknown): kind is Row['kind'] => typeof kind === 'string' && Object.hasOwn(fields, kind)

/** What a value lacks to be a row, in words; undefined where it is one. */
export const faultOfRow = (value: unknown): string | undefined => {
  if (typeof value !== 'object' || value === null) return 'it is no object'
  const row = value as Record<string, unknown>
  const { kind } = row
  if (!isKind(kind)) return `its kind is ${JSON.stringify(kind)}, which is none of ${Object.keys(fields).join(', ')}`
  const wrong = Object.entries(fields[kind]).find(([name, type]) => typeof row[name] !== type)
  if (wrong !== undefined) return `its ${wrong[0]} is ${JSON.stringify(row[wrong[0]])}, not a ${wrong[1]}`
  const infinite = Object.entries(row).find(([, x]) => typeof x === 'number' && !Number.isFinite(x))
  return infinite === undefined ? undefined : `its ${infinite[0]} is ${infinite[1] as number}`
}

/** A line as a row; undefined where it is none, as what libraries print. @throws Error for an object that is nearly one */
export const rowOfLine = (line: string): Row | undefined => {
  if (!line.startsWith('{"kind"')) return undefined
  const value: unknown = JSON.parse(line)
  const fault = faultOfRow(value)
  if (fault !== undefined) throw new Error(`a line is no row: ${fault}: ${line}`)
  return value as Row
}
