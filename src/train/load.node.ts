/** What a run has learned. */
import { oneOf } from '../prelude/decode.ts'
import { at } from '../prelude/array.ts'
import { E, pipe, TE } from '../prelude/fp.ts'
import { key } from '../tensor/random.ts'
import { readConfig } from './configFile.ts'
import { isOf } from './configHash.node.ts'
import { initialState, recipeOf } from './recipe.ts'
import { restore } from './restore.ts'
import { readSafetensors, treeFrom } from '../io/index.ts'
import { storeIn } from './store.node.ts'
import { names, type Store } from './store.ts'
import type { LoadedWeights, Params } from './tasks/diffusion/diffusion.ts'
import { autoencoderOfRun } from './tasks/diffusion/open.node.ts'
import type { DiffusionRun } from './tasks/diffusion/diffusionConfig.ts'
import type { TrainConfig } from './tasks/registry.ts'
import { settingError, trainError, type TrainError } from './trainError.ts'

/** What a run has learned. */
export interface LoadedRun extends LoadedWeights {
  /** The steps it was trained for. */
  readonly step: number
  /** The weights as the last step left them. */
  readonly params: Params
  readonly warnings: readonly string[]
}

/** Left for a run that learns something else than to draw. */
const requireDrawing = (directory: string, config: TrainConfig): E.Either<TrainError, DiffusionRun> =>
  config.task === 'autoencoder'
    ? E.left(
        trainError(
          'RUN-NONE',
          `${directory} is a run of an autoencoder, which draws nothing by itself: see what it keeps of pictures by \`fathom reconstruct ${directory}\`, or train a model on its latents, \`fathom train FOLDER --latent ${directory}\``,
        ),
      )
    : E.right(config)

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

const decodeWhich = (name: string): E.Either<TrainError, WhichWeights> =>
  pipe(
    oneOf(...whichWeights)(name),
    E.mapLeft((fault) => settingError({ ...fault, path: 'weights', got: JSON.stringify(name) })),
  )

/** Averaged weights that a run keeps beside its checkpoints, and the step that they are of. */
const keptWeights = (
  store: Store,
  which: Exclude<WhichWeights, 'last'>,
  template: Params,
): TE.TaskEither<TrainError, { readonly average: Params; readonly step: number }> => {
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

/**
 * Reads the newest valid checkpoint of a run. Needs no lock: it may be in training.
 *
 * @param weights which averaged weights, a name of {@link whichWeights}; `step` is theirs
 *
 * @example
 * ```ts
 * import { configOf, load, train } from 'fathom/train'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 *
 * await load('run')() // => left({ code: 'RUN-NONE', … })
 * const model = { width: 4, multipliers: [1], heads: 1, headWidth: 4 }
 * const begin = pipe(
 *   TE.fromEither(configOf({ out: 'run', height: 8, width: 8, model, batch: 2 })),
 *   TE.chain((config) => train(config, { signal: AbortSignal.abort() })), // stopped before the first step
 * )
 * await begin()
 * await load('run')() // => right({ step: 0, … })
 * ```
 */
export const load = (directory: string, weights: string = 'last'): TE.TaskEither<TrainError, LoadedRun> =>
  pipe(
    TE.fromEither(decodeWhich(weights)),
    TE.bindTo('which'),
    TE.bind('config', () => readConfig(storeIn(directory))),
    TE.bind('drawing', ({ config }) => TE.fromEither(requireDrawing(directory, config))),
    TE.chain(({ which, drawing: config }) => {
      const recipe = recipeOf(config)
      const { model, schedule } = recipe.task
      return pipe(
        config.latent === undefined ? TE.right(undefined) : autoencoderOfRun(directory, config.latent),
        TE.bindTo('autoencoder'),
        TE.bind('restored', () =>
          restore(storeIn(directory), initialState(recipe, key(0)), (progress) => isOf(config, progress)),
        ),
        TE.bind('chosen', ({ restored: { state, progress } }) =>
          which === 'last'
            ? TE.right({ average: at(state.averages, progress.average ?? 0), step: progress.step })
            : keptWeights(storeIn(directory), which, state.averages[0]),
        ),
        TE.map(({ autoencoder, chosen, restored: { state, warnings } }) => ({
          config,
          ...chosen,
          model,
          params: state.params,
          schedule,
          warnings,
          ...(autoencoder !== undefined && { autoencoder }),
        })),
      )
    }),
  )
