/** The loss curve of a run, drawn from its metrics, and below it what the loss consists of. */
import { lineChart } from '../../io/lineChart.ts'
import type { MetricRecord } from '../../io/metricRecord.ts'
import { pipe, TE } from '../../prelude/fp.ts'
import { encoded, names, type Store } from '../store.ts'
import type { MeasuredLoss } from '../task.ts'
import type { TrainError } from '../trainError.ts'
import { metricsIn } from './metrics.ts'
import { isDue, nothing, type Report, type Sink } from './sink.ts'

const seriesOf = (metrics: readonly MetricRecord[], name: string): readonly (readonly [number, number])[] =>
  metrics.flatMap((m) => (typeof m[name] === 'number' ? [[m.step, m[name]] as const] : []))

/** Points from the first on that is not 0: before it, the phase of the run said nothing of it. */
const sinceSaid = (points: readonly (readonly [number, number])[]): readonly (readonly [number, number])[] =>
  points.slice(
    Math.max(
      0,
      points.findIndex(([, y]) => y !== 0),
    ),
  )

/** Draws the loss curve of all that was measured so far. @param parts what the task tells beside the loss */
const drawChart = (
  store: Store,
  losses: readonly MeasuredLoss[],
  parts: readonly string[],
): TE.TaskEither<TrainError, unknown> =>
  pipe(
    metricsIn(store),
    TE.chain((metrics) => {
      const series = [
        { name: 'training', points: seriesOf(metrics, 'loss') },
        ...losses.map(({ name, curve }) => ({ name: curve, points: seriesOf(metrics, name) })),
      ]
      const panels = parts.map((name) => ({ name, points: sinceSaid(seriesOf(metrics, name)) }))
      const svg = lineChart({ title: 'Loss', xLabel: 'step', yLabel: 'loss', series, logY: true, panels })
      return store.replace(names.chart, encoded(svg))
    }),
  )

const partsOf = (report: Pick<Report<unknown>, 'parts'> | undefined): readonly string[] =>
  Object.keys(report?.parts ?? {})

/** Draws the curve every so many steps, and where the run stops. */
export const chartSink = <P>(
  store: Store,
  { losses, every }: { readonly losses: readonly MeasuredLoss[]; readonly every: number },
): Sink<P> => ({
  take: (report) => (isDue(report, every) ? drawChart(store, losses, partsOf(report)) : nothing),
  end: (last) => (last?.step === last?.steps && last !== undefined ? nothing : drawChart(store, losses, partsOf(last))),
})
