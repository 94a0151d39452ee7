/** Sheets of what the averaged parameters have learned, for a person to look at. */
import { pipe, TE } from '../../prelude/fp.ts'
import type { ChosenAverage } from '../chosenAverage.ts'
import type { TrainEvent } from '../events.ts'
import { names, padded, type Store } from '../store.ts'
import type { Sheet } from '../task.ts'
import type { TrainError } from '../trainError.ts'
import { isDue, nothing, type Sink } from './sink.ts'

/** What draws, and how often. */
export interface SheetsOptions<P> {
  readonly draw: (params: P) => TE.TaskEither<TrainError, Sheet>
  readonly every: number
  readonly chosen: ChosenAverage
  readonly emit: (event: TrainEvent) => void
}

/** Draws a sheet every so many steps. */
export const sheetsSink = <P>(store: Store, { draw, every, chosen, emit }: SheetsOptions<P>): Sink<P> => ({
  take: (report) =>
    isDue(report, every)
      ? pipe(
          draw(chosen.of(report.state)),
          TE.bindTo('sheet'),
          TE.let('name', ({ sheet }) => `${names.samples}/step-${padded(report.step)}.${sheet.extension}`),
          TE.chainFirst(({ sheet, name }) => store.replace(name, sheet.bytes)),
          TE.map(({ name }) => {
            emit({ _tag: 'Sampled', step: report.step, path: store.pathOf(name) })
          }),
        )
      : nothing,
})
