/** Which weights a run has learned, whatever its task is. */
import { oneOf } from '../prelude/decode.ts'
import { at } from '../prelude/array.ts'
import { E, pipe, TE } from '../prelude/fp.ts'
import { key } from '../tensor/random.ts'
import { isOf } from './configHash.node.ts'
import { initialState, trainingOf, type Beginning } from './recipe.ts'
import { restore } from './restore.ts'
import { readSafetensors, treeFrom } from '../io/index.ts'
import { storeIn } from './store.node.ts'
import { names, type Store } from './store.ts'
import type { TrainConfig } from './tasks/registry.ts'
import { settingError, trainError, type TrainError } from './trainError.ts'

/**
 * Which of a run's averaged weights: those of its newest checkpoint, those that were best on held-out pictures, or those of early in the run.
 *
 * @example
 * ```ts
 * import { whichWeights } from 'fathom/train'
 *
 * whichWeights // => ['last', 'best', 'early']
 * ```
 */
export const whichWeights = ['last', 'best', 'early'] as const

/** One of {@link whichWeights}. */
export type WhichWeights = (typeof whichWeights)[number]

export const decodeWhich = (name: string): E.Either<TrainError, WhichWeights> =>
  pipe(
    oneOf(...whichWeights)(name),
    E.mapLeft((fault) => settingError({ ...fault, path: 'weights', got: JSON.stringify(name) })),
  )

/** Averaged weights that a run keeps beside its checkpoints, and the step that they are of. */
const keptWeights = <P>(
  store: Store,
  which: Exclude<WhichWeights, 'last'>,
  template: P,
): TE.TaskEither<TrainError, { readonly average: P; readonly step: number }> => {
  const path = store.pathOf(names[which])
  return pipe(
    store.read(names[which]),
    TE.chainEitherK(
      E.fromNullable(
        trainError(
          'WEIGHTS',
          `${store.place} keeps no ${which} weights (no ${names[which]}): it has not come so far, or was begun by an earlier version`,
        ),
      ),
    ),
    TE.chainEitherK((bytes) =>
      pipe(
        readSafetensors(bytes),
        E.chainW(({ tensors, metadata }) =>
          pipe(
            treeFrom(template, tensors),
            E.map((average) => ({ average, step: Number(metadata.get('step') ?? NaN) })),
          ),
        ),
        E.mapLeft(({ message }) => trainError('WEIGHTS', `${path}: ${message}`)),
      ),
    ),
  )
}

/** Weights of a run. */
export interface Learned<P> {
  /** The averaged weights that were asked for, and the step that they are of. */
  readonly average: P
  readonly step: number
  /** The weights as the last step left them. */
  readonly params: P
  /** Sentences for the user. */
  readonly warnings: readonly string[]
}

/** The weights of the run in a directory. Needs no lock: it may be in training. @param which averaged weights */
export const learnedIn = <P>(
  directory: string,
  config: TrainConfig,
  task: Beginning<P>,
  which: WhichWeights,
): TE.TaskEither<TrainError, Learned<P>> => {
  const store = storeIn(directory)
  return pipe(
    restore(store, initialState<P>({ ...trainingOf(config), task }, key(0)), (progress) => isOf(config, progress)),
    TE.bindTo('restored'),
    TE.bind('chosen', ({ restored: { state, progress } }) =>
      which === 'last'
        ? TE.right({ average: at(state.averages, progress.average ?? 0), step: progress.step })
        : keptWeights(store, which, state.averages[0]),
    ),
    TE.map(({ chosen, restored: { state, warnings } }) => ({ ...chosen, params: state.params, warnings })),
  )
}
