/** The metrics of a run, a line for each step: its loss, how fast it was, and from time to time what is measured of the parameters. */
import { completeLines, metricLine, salvaged, truncatedAfter, type MetricRecord } from '../../io/metricRecord.ts'
import { E, pipe, TE } from '../../prelude/fp.ts'
import type { TrainEvent } from '../events.ts'
import type { TrainState } from '../recipe.ts'
import { encoded, names, type Store } from '../store.ts'
import type { Measured, Task } from '../task.ts'
import type { TrainError } from '../trainError.ts'
import type { TakeMeasured } from './best.ts'
import type { SheetOfStep } from './sheets.ts'
import { isDue, nothing, type Report, type Sink } from './sink.ts'

const linesIn = (store: Store): TE.TaskEither<TrainError, readonly string[]> =>
  pipe(
    store.read(names.metrics),
    TE.map((bytes) => (bytes === undefined ? [] : completeLines(bytes))),
  )

/** All metrics of a run that can be read, a record for each step. */
export const metricsIn = (store: Store): TE.TaskEither<TrainError, readonly MetricRecord[]> =>
  pipe(
    linesIn(store),
    TE.map((lines) => salvaged(lines).records),
  )

const linesInWords = (count: number): string => (count === 1 ? 'a line' : `${count} lines`)

/**
 * Forgets what was measured after a step, so that a run that goes on from there writes each step once.
 *
 * @returns sentences about what is missing
 * @example
 * ```ts
 * import { memoryStore, rewindMetrics } from 'fathom/train'
 *
 * const store = memoryStore()
 * for (const step of [1, 2, 3]) await store.append('metrics.jsonl', `{"step":${step}}\n`)()
 * await rewindMetrics(store, 2)() // => right([])
 * new TextDecoder().decode(store.files.get('metrics.jsonl')) // => '{"step":1}\n{"step":2}\n'
 * ```
 */
export const rewindMetrics = (store: Store, step: number): TE.TaskEither<TrainError, readonly string[]> => {
  const path = store.pathOf(names.metrics)
  return pipe(
    linesIn(store),
    TE.map((lines) => truncatedAfter(lines, step)),
    TE.chainFirst(({ text }) =>
      text === undefined ? TE.right(undefined) : store.replace(names.metrics, encoded(text)),
    ),
    TE.map(({ records, unreadable }) => {
      const missing = step - new Set(records.map((record) => record.step).filter((n) => n >= 1)).size
      return [
        ...(unreadable === 0 ? [] : [`${path} had ${linesInWords(unreadable)} that cannot be read, which are removed`]),
        ...(missing <= 0
          ? []
          : [`${path} lacks ${missing} of the ${step} steps that are done, and so does the loss curve`]),
      ]
    }),
  )
}

/** How the metrics are made. */
export interface MetricsOptions<P> {
  /** Measures the parameters and their averages, every so many steps; absent where nothing is measured. */
  readonly measure?: ((state: TrainState<P>) => Promise<Measured>) | undefined
  /** Whether it does so after another step too. */
  readonly also?: (report: Report<P>) => boolean
  /** Takes what was measured, once it is written. */
  readonly take?: TakeMeasured<P>
  readonly every: number
  /** The sheet of a step, where it is watched: what is found of it stands in the metrics of the step. */
  readonly watched?: { readonly draw: SheetOfStep<P>; readonly every: number } | undefined
  /** Whose losses and words these are. */
  readonly task: Pick<Task<P, never, unknown>, 'losses' | 'words'>
  readonly emit: (event: TrainEvent) => void
  /** The error of a run that has diverged. */
  readonly diverged: (what: string, step: number) => TrainError
}

/** What is measured after a step: undefined when it is not due, Left when a loss is no number. */
const measured =
  <P>({ measure, every, also, task, diverged }: MetricsOptions<P>) =>
  (report: Report<P>): TE.TaskEither<TrainError, Measured | undefined> =>
  async () => {
    if (measure === undefined || !(isDue(report, every) || also?.(report) === true)) return E.right(undefined)
    const values = await measure(report.state)
    for (const { name, about } of task.losses) {
      const value = values[name]
      if (!Number.isFinite(value)) return E.left(diverged(`${about} is ${value}`, report.step))
    }
    return E.right(values)
  }

/** What is found of the sheet of a step; nothing where none is due. */
const found =
  <P>({ watched }: MetricsOptions<P>) =>
  (report: Report<P>): TE.TaskEither<TrainError, Measured> =>
    watched === undefined || !isDue(report, watched.every)
      ? TE.right({})
      : pipe(
          watched.draw(report),
          TE.map(({ watch }) => watch?.measured ?? {}),
        )

/** Writes the metrics, and tells what was measured. */
export const metricsSink = <P>(store: Store, options: MetricsOptions<P>): Sink<P> => {
  const { words } = options.task
  return {
    take: (report) =>
      pipe(
        measured(options)(report),
        TE.bindTo('values'),
        TE.bind('seen', () => found(options)(report)),
        TE.chainFirst(({ values, seen }) =>
          store.append(
            names.metrics,
            metricLine({
              step: report.step,
              loss: report.loss,
              ...(report.skipped !== undefined && { skipped: report.skipped }),
              ...report.parts,
              ...values,
              ...seen,
              [`${words.example.many}PerSecond`]: Number(report.examplesPerSecond.toPrecision(4)),
            }),
          ),
        ),
        TE.chain(({ values }) => {
          if (values === undefined) return nothing
          options.emit({ _tag: 'Measured', step: report.step, values, words: words.measured(values) })
          return options.take?.(report, values) ?? nothing
        }),
      ),
  }
}
