/** Progress: every step is told to whoever watches. */
import { TE } from '../../prelude/fp.ts'
import type { TrainEvent } from '../events.ts'
import type { Sink } from './sink.ts'

/** Tells every step. */
export const progressSink = <P>(emit: (event: TrainEvent) => void): Sink<P> => ({
  take: ({ step, steps, loss, examplesPerSecond, skipped }) =>
    TE.fromIO(() => {
      emit({ _tag: 'Stepped', step, steps, loss, examplesPerSecond, ...(skipped !== undefined && { skipped }) })
    }),
})
