/** The metrics of a run, a line for each step: its loss, how fast it was, and from time to time what is measured of the parameters. */
import { metricLine } from '../../io/metricRecord.ts'
import { E, pipe, TE } from '../../prelude/fp.ts'
import type { TrainEvent } from '../events.ts'
import { names, type Store } from '../store.ts'
import type { Measured, Task } from '../task.ts'
import type { TrainError } from '../trainError.ts'
import { isDue, type Report, type Sink } from './sink.ts'

/** How the metrics are made. */
export interface MetricsOptions<P> {
  /** Measures the parameters, every so many steps; absent where nothing is measured. */
  readonly measure?: ((params: P) => Promise<Measured>) | undefined
  readonly every: number
  /** Whose losses and words these are. */
  readonly task: Pick<Task<P, never, unknown>, 'losses' | 'words'>
  readonly emit: (event: TrainEvent) => void
  /** The error of a run that has diverged. */
  readonly diverged: (what: string, step: number) => TrainError
}

/** What is measured after a step: undefined when it is not due, Left when a loss is no number. */
const measured =
  <P>({ measure, every, task, diverged }: MetricsOptions<P>) =>
  (report: Report<P>): TE.TaskEither<TrainError, Measured | undefined> =>
  async () => {
    if (measure === undefined || !isDue(report, every)) return E.right(undefined)
    const values = await measure(report.state.params)
    for (const { name, about } of task.losses) {
      const value = values[name]
      if (!Number.isFinite(value)) return E.left(diverged(`${about} is ${value}`, report.step))
    }
    return E.right(values)
  }

/** Writes the metrics, and tells what was measured. */
export const metricsSink = <P>(store: Store, options: MetricsOptions<P>): Sink<P> => {
  const { words } = options.task
  return {
    take: (report) =>
      pipe(
        measured(options)(report),
        TE.chainFirst((values) =>
          store.append(
            names.metrics,
            metricLine({
              step: report.step,
              loss: report.loss,
              ...values,
              [`${words.example.many}PerSecond`]: Number(report.examplesPerSecond.toPrecision(4)),
            }),
          ),
        ),
        TE.map((values) => {
          if (values !== undefined)
            options.emit({ _tag: 'Measured', step: report.step, values, words: words.measured(values) })
        }),
      ),
  }
}
