/** What a run has learned. */
import { E, pipe, TE } from '../prelude/fp.ts'
import { key } from '../tensor/random.ts'
import { readConfig } from './configFile.ts'
import { isOf } from './configHash.node.ts'
import { initialState, recipeOf } from './recipe.ts'
import { restore } from './restore.ts'
import { storeIn } from './store.node.ts'
import type { LoadedWeights, Params } from './tasks/diffusion/diffusion.ts'
import { autoencoderOfRun } from './tasks/diffusion/open.node.ts'
import type { DiffusionRun } from './tasks/diffusion/diffusionConfig.ts'
import type { TrainConfig } from './tasks/registry.ts'
import { trainError, type TrainError } from './trainError.ts'

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
 * Reads the newest valid checkpoint of a run. Needs no lock: it may be in training.
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
export const load = (directory: string): TE.TaskEither<TrainError, LoadedRun> =>
  pipe(
    readConfig(storeIn(directory)),
    TE.chainEitherK((config) => requireDrawing(directory, config)),
    TE.chain((config) => {
      const recipe = recipeOf(config)
      const { model, schedule } = recipe.task
      return pipe(
        config.latent === undefined ? TE.right(undefined) : autoencoderOfRun(directory, config.latent),
        TE.bindTo('autoencoder'),
        TE.bind('restored', () =>
          restore(storeIn(directory), initialState(recipe, key(0)), (progress) => isOf(config, progress)),
        ),
        TE.map(({ autoencoder, restored: { state, progress, warnings } }) => ({
          config,
          step: progress.step,
          model,
          average: state.average,
          params: state.params,
          schedule,
          warnings,
          ...(autoencoder !== undefined && { autoencoder }),
        })),
      )
    }),
  )
