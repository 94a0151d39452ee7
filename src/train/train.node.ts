/** Training in a directory of this machine: `train` begins a run; `resume` (resume.node.ts) goes on with one. */
import type { RunLock } from '../io/index.ts'
import { pipe, TE } from '../prelude/fp.ts'
import { abandon, claim, namesIn, requireFree, tidy } from './beginning.node.ts'
import { configHash } from './configHash.node.ts'
import { ensuring } from './ensuring.ts'
import type { TrainHooks, TrainSummary } from './events.ts'
import { openDevice } from './openDevice.ts'
import type { Restored } from './restore.ts'
import { beginRun, finishRun, prepareRun, type Run } from './run.ts'
import { requireOutside } from './runPlace.node.ts'
import type { Store } from './store.ts'
import { storeIn } from './store.node.ts'
import type { Source } from './task.ts'
import { subjectOf, type Subject } from './tasks/registry.node.ts'
import type { TrainConfig } from './tasks/registry.ts'
import type { TrainError } from './trainError.ts'

/** What a run begins or goes on with. */
interface Job<P, B, D> {
  readonly subject: Subject<P, B, D>
  readonly config: TrainConfig
  readonly hooks: TrainHooks
  readonly found?: Restored<P>
  /** Sentences for the user, before the first step; of the data too, once they are open. */
  readonly notes?: (source: Source<P, B>) => readonly string[]
}

/**
 * Opens the device and the data, prepares the run, and closes the device in the end. Nothing is written before `use`: a run that is refused here
 * leaves no trace.
 */
export const withRun = <P, B, D, A>(
  { subject, config, hooks, found, notes = () => [] }: Job<P, B, D>,
  use: (run: Run<P, B>) => TE.TaskEither<TrainError, A>,
): TE.TaskEither<TrainError, A> => {
  const { task } = subject
  const emit = hooks.onEvent ?? (() => undefined)
  const parts = { config, task, configHash: configHash(config), emit, signal: hooks.signal }
  return pipe(
    openDevice(config.device, hooks.deviceOptions, found?.progress),
    TE.chain((device) =>
      pipe(
        TE.fromEither(subject.requireLeast(device)), // before minutes are spent on decoding photographs
        TE.chain(() => subject.open),
        TE.chain((source) => {
          for (const message of [...source.warnings, ...(found?.warnings ?? []), ...notes(source)])
            emit({ _tag: 'Warning', message })
          return prepareRun({ ...parts, source, device }, found)
        }),
        TE.chain(use),
        ensuring(() => device.close()),
      ),
    ),
  )
}

/** Begins, or leaves nothing behind. */
const beginOrAbandon = <P, B>(
  run: Run<P, B>,
  store: Store,
  lock: RunLock,
  before: ReadonlySet<string>,
): TE.TaskEither<TrainError, void> => {
  const directory = run.config.out
  let begun = false
  return pipe(
    TE.fromTask<void, TrainError>(() => tidy(directory)),
    TE.chain(() => beginRun(run, store)),
    TE.map(() => {
      begun = true
    }),
    ensuring(async () => {
      if (!begun) await abandon(directory, lock, before)
    }),
  )
}

/** Locks the directory of a new run, and trains in it. */
const trainIn = <P, B>(run: Run<P, B>): TE.TaskEither<TrainError, TrainSummary> =>
  pipe(
    TE.fromTask<ReadonlySet<string>, TrainError>(() => namesIn(run.config.out)),
    TE.bindTo('before'),
    TE.bind('lock', () => claim(run.config.out)),
    TE.chain(({ lock, before }) => {
      const store = storeIn(run.config.out, lock)
      return pipe(
        beginOrAbandon(run, store, lock, before),
        TE.chain(() => finishRun(run, store)),
        ensuring(lock.release),
      )
    }),
  )

/**
 * Trains a new run in `config.out`.
 *
 * @returns the summary, also when it was interrupted by the signal; Left when the directory holds a run, the pictures cannot be used, …
 * @example
 * ```ts
 * import { configOf, train } from 'fathom/train'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 *
 * const model = { width: 4, multipliers: [1], heads: 1, headWidth: 4 }
 * const config = configOf({ out: 'run', height: 8, width: 8, model, batch: 2, steps: 2, sampleCount: 1, sampleSteps: 1 })
 * const run = pipe(TE.fromEither(config), TE.chain(train))
 * await run() // => right({ directory: 'run', step: 2, steps: 2, interrupted: false, … })
 * await run() // => left({ code: 'RUN-EXISTS', … })
 * ```
 */
export const train = (config: TrainConfig, hooks: TrainHooks = {}): TE.TaskEither<TrainError, TrainSummary> =>
  pipe(
    requireOutside(config),
    TE.chain(() => requireFree(config.out)), // before minutes are spent on decoding photographs
    TE.chain(() => subjectOf(config)((subject) => withRun({ subject, config, hooks }, trainIn))),
  )
