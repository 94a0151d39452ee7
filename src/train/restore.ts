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
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { dataOfSeas } from 'fathom/data'
 * import {
 *   beginRun, diffusionTask, initialState, memoryStore, pictureSource, prepareRun, presets, restore, trainingOf,
 * } from 'fathom/train'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 *
 * const model = { width: 4, multipliers: [1], heads: 1, headWidth: 4 }
 * const small = { height: 8, width: 8, model, batch: 2, steps: 2, sampleCount: 1, sampleSteps: 1 }
 * const config = { ...presets.tiny, folder: null, out: 'sea', preset: 'tiny', seed: 0, device: 'wasm', ...small }
 * const task = diffusionTask(config)
 * const data = dataOfSeas({ seed: 0, size: 8 })
 * const source = pictureSource(task, { data, fingerprint: 'seas', summary: 'procedural seas', warnings: [] })
 * const parts = { config, task, source, device, configHash: '', emit: () => undefined }
 * const store = memoryStore()
 * const goesOn = pipe(
 *   prepareRun(parts),
 *   TE.chain((run) => beginRun(run, store)), // and then the page was closed
 *   TE.chain(() => restore(store, initialState({ ...trainingOf(config), task }, key(0)), () => true)),
 *   TE.chain((found) => prepareRun(parts, found)),
 *   TE.map(({ from }) => from),
 * )
 * await goesOn() // => right(0)
 * ```
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
