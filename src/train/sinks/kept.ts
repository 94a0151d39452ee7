/** Files that stand for the averaged parameters, where others than the trainer read them. */
import { pipe, TE } from '../../prelude/fp.ts'
import type { ChosenAverage } from '../chosenAverage.ts'
import type { Store } from '../store.ts'
import type { TrainError } from '../trainError.ts'
import { isDue, nothing, type Sink } from './sink.ts'

/** What makes the files, by name, and how often. */
export interface KeptOptions<P> {
  readonly make: (average: P) => TE.TaskEither<TrainError, ReadonlyMap<string, Uint8Array>>
  readonly every: number
  readonly chosen: ChosenAverage
}

/** Writes them every so many steps, each in the place of the one before. */
export const keptSink = <P>(store: Store, { make, every, chosen }: KeptOptions<P>): Sink<P> => ({
  take: (report) =>
    isDue(report, every)
      ? pipe(
          make(chosen.of(report.state)),
          TE.chain((files) =>
            pipe(
              [...files],
              TE.traverseSeqArray(([name, bytes]) => store.replace(name, bytes)),
            ),
          ),
        )
      : nothing,
})
