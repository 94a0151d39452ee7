/** Training in a directory of this machine: `train` begins a run; `resume` (resume.node.ts) goes on with one. */
import { requireKnown } from '../prelude/options.ts'
import { makeDurableDirectory, type RunLock } from '../io/index.ts'
import { E, pipe, TE } from '../prelude/fp.ts'
import { abandon, claim, namesIn, requireFree, tidy } from './beginning.node.ts'
import { writeConfig } from './configFile.ts'
import { ensuring } from './ensuring.ts'
import { trainHooks, type TrainHooks, type TrainSummary } from './events.ts'
import { lead } from './lead.node.ts'
import { realSurroundings, type Surroundings } from './recovery.ts'
import { resumeIn } from './resume.node.ts'
import { beginRun, type Run } from './run.ts'
import { requireOutside } from './runPlace.node.ts'
import { completeStage, stageOf } from './stages.node.ts'
import type { Store } from './store.ts'
import { storeIn } from './store.node.ts'
import { subjectOf } from './tasks/registry.node.ts'
import type { TrainConfig } from './tasks/registry.ts'
import { trainErrorOf, type TrainError } from './trainError.ts'

/** The directory of a new run while this process holds it, and the names that were there before. */
interface Held {
  readonly lock: RunLock
  readonly before: ReadonlySet<string>
}

/** The directory of a run that is to begin. */
interface Beginning {
  /** Locks it, and writes the configurations of a run whose first stage comes before its own beginning: from then on it can be resumed. */
  readonly announce: (config: TrainConfig, stage: TrainConfig) => TE.TaskEither<TrainError, void>
  /** Locks it, once, and begins the run in it; again where the device was lost before the first checkpoint. */
  readonly begin: <P, B>(run: Run<P, B>) => TE.TaskEither<TrainError, Store>
  /** Gives it up: nothing is left behind of a run that has not begun. */
  readonly leave: () => Promise<unknown>
}

const beginningIn = (directory: string): Beginning => {
  let held: Held | undefined
  let begun = false
  const hold: TE.TaskEither<TrainError, Held> = async () => {
    if (held !== undefined) return E.right(held)
    const before = await namesIn(directory)
    return pipe(
      await claim(directory)(),
      E.map((lock) => (held = { lock, before })),
    )
  }
  return {
    announce: (config, stage) =>
      pipe(
        hold,
        TE.chainFirst(() => pipe(makeDurableDirectory(stage.out), TE.mapLeft(trainErrorOf('RUN-IO')))),
        TE.chainFirst(({ lock }) => writeConfig(storeIn(stage.out, lock), stage)),
        TE.chain(({ lock }) => writeConfig(storeIn(directory, lock), config)),
        TE.map(() => {
          begun = true
        }),
      ),
    begin: (run) =>
      pipe(
        hold,
        TE.chainFirst(() => TE.fromTask(() => tidy(directory))),
        TE.map(({ lock }) => storeIn(directory, lock)),
        TE.chainFirst((store) => beginRun(run, store)),
        TE.map((store) => {
          begun = true
          return store
        }),
      ),
    leave: async () => {
      if (held === undefined) return
      await (begun ? held.lock.release() : abandon(directory, held.lock, held.before))
    },
  }
}

/** `train`, in these surroundings. @param subjects what a configuration trains */
export const trainIn =
  (surroundings: Surroundings, subjects: typeof subjectOf = subjectOf) =>
  (config: TrainConfig, hooks: TrainHooks): TE.TaskEither<TrainError, TrainSummary> =>
    pipe(
      requireOutside(config),
      TE.chain(() => requireFree(config.out)), // before minutes are spent on decoding photographs
      TE.chain(() => {
        const { announce, begin, leave } = beginningIn(config.out)
        const { since = surroundings.now() } = hooks
        const begun = subjects(config)((subject) => lead({ subject, config, hooks, surroundings, since, begin }))
        return pipe(
          TE.fromEither(stageOf(config)),
          TE.chain((stage) =>
            stage === undefined
              ? TE.right(undefined)
              : pipe(
                  announce(config, stage),
                  TE.chain(() => completeStage(config, { ...hooks, since }, {}, resumeIn(surroundings, subjects))),
                ),
          ),
          TE.chain((stopped) => (stopped === undefined ? begun : TE.right(stopped))),
          ensuring(leave),
        )
      }),
    )

/**
 * Trains a new run in `config.out`. Where the device is lost on the way, it is opened again and the run goes on from its newest checkpoint, with the
 * bits of one that lost nothing, at most three times an hour.
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
export const train = (config: TrainConfig, hooks: TrainHooks = {}): TE.TaskEither<TrainError, TrainSummary> => {
  requireKnown('train', hooks, trainHooks)
  return trainIn(realSurroundings)(config, hooks)
}
