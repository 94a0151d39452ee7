/** Checkpoints: the state of a run, kept so that it can go on with the same bits. */
import { pipe, TE } from '../../prelude/fp.ts'
import type { Device } from '../../tensor/device.ts'
import { deviceErrorOf } from '../deviceErrors.ts'
import type { TrainEvent } from '../events.ts'
import { nonFiniteIn } from '../finite.ts'
import type { TrainState } from '../recipe.ts'
import { stateToFiles, type Progress } from '../stateFiles.ts'
import { names, storeError, type Store } from '../store.ts'
import type { TrainError } from '../trainError.ts'
import { isDue, nothing, type Sink } from './sink.ts'

/** What a checkpoint is made of. */
export interface SaveOptions {
  readonly device: Device
  /** What it says beside its tensors. */
  readonly progressAt: (step: number) => Progress
  readonly emit: (event: TrainEvent) => void
  /** The error of a run that has diverged. */
  readonly diverged: (what: string, step: number) => TrainError
}

/**
 * Saves the state after a step, unless its weights are no numbers. Metrics are kept before the checkpoint that counts on them.
 */
export const saveState = <P>(
  store: Store,
  { device, progressAt, emit, diverged }: SaveOptions,
  state: TrainState<P>,
  step: number,
): TE.TaskEither<TrainError, void> =>
  pipe(
    store.sync(names.metrics),
    TE.chain(() =>
      TE.tryCatch(
        () => stateToFiles(device, state, progressAt(step)),
        (reason) =>
          deviceErrorOf(reason, device.name) ??
          storeError(`the state of step ${step} cannot be saved in ${store.place}: ${String(reason)}`),
      ),
    ),
    TE.filterOrElse(
      (files) => nonFiniteIn(files) === undefined,
      (files) => diverged(nonFiniteIn(files) ?? '', step),
    ),
    TE.chain((files) => store.checkpoints.save(step, files)),
    TE.map((path) => {
      emit({ _tag: 'Saved', step, path })
    }),
  )

/**
 * Saves every so many steps, and where the run stops. The weights with which a loss was no number are no good: their checkpoint is
 * withdrawn.
 */
export const checkpointsSink = <P>(
  store: Store,
  { every, ...options }: SaveOptions & { readonly every: number },
): Sink<P> => ({
  take: (report) => (isDue(report, every) ? saveState(store, options, report.state, report.step) : nothing),
  diverged: (step) => store.checkpoints.withdraw(step - 1),
  end: (last) =>
    last === undefined || isDue(last, every) ? nothing : saveState(store, options, last.state, last.step),
})
