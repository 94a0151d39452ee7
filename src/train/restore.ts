/** The state of a run from the newest of its checkpoints that can be used. */
import { E, pipe, TE } from '../prelude/fp.ts'
import { nonFiniteIn } from './finite.ts'
import type { TrainState } from './recipe.ts'
import { progressIn, stateFromFiles, type Progress } from './stateFiles.ts'
import { names, type Judge, type Store } from './store.ts'
import { trainError, type TrainError } from './trainError.ts'

/** A state from a checkpoint, the step it was saved after, and what newer checkpoints cannot be used. */
export interface Restored<P> {
  /** The checkpoint's name. */
  readonly name: string
  readonly state: TrainState<P>
  readonly progress: Progress
  /** Sentences for the user; empty when the newest checkpoint was sound. */
  readonly warnings: readonly string[]
}

/** Left, with the reason, for a checkpoint whose weights are not numbers, or that says another step than its name. */
const judge: Judge = ({ step, files }) => {
  const bad = nonFiniteIn(files)
  if (bad !== undefined) return E.left(`the run had diverged: ${bad}`)
  return pipe(
    progressIn(files),
    E.filterOrElse(
      (progress) => progress.step === step,
      (progress) => `its state is of step ${progress.step}`,
    ),
  )
}

/**
 * The newest state of a run that is whole, and made of numbers.
 *
 * @param template a state of the same structure, which need not be computed
 * @param isOfRun whether a checkpoint was saved by the run as it is configured
 */
export const restore = <P>(
  store: Store,
  template: TrainState<P>,
  isOfRun: (progress: Progress) => boolean,
): TE.TaskEither<TrainError, Restored<P>> =>
  pipe(
    store.checkpoints.newest(judge),
    TE.chainEitherK(({ name, files, skipped }) =>
      pipe(
        stateFromFiles(template, files),
        E.mapLeft((why) =>
          trainError(
            'CKPT',
            `checkpoint ${name} of ${store.place} does not fit its configuration: ${why}; was ${names.config} changed?`,
          ),
        ),
        E.filterOrElse(
          ({ progress }) => isOfRun(progress),
          () =>
            trainError(
              'CKPT',
              `${names.config} of ${store.place} was changed since checkpoint ${name} was saved: restore it, or start another run with \`fathom train\``,
            ),
        ),
        E.map(({ state, progress }) => ({
          name,
          state,
          progress,
          warnings: skipped.map((s) => `checkpoint ${s.name} is damaged (${s.reason}); using ${name}`),
        })),
      ),
    ),
  )
