/** What a run has learned. */
import { E, pipe, TE } from '../prelude/fp.ts'
import { readConfig } from './configFile.ts'
import { decodeWhich, learnedIn } from './learned.node.ts'
import { recipeOf } from './recipe.ts'
import { storeIn } from './store.node.ts'
import type { LoadedWeights, Params } from './tasks/diffusion/diffusion.ts'
import { autoencoderOfRun } from './tasks/diffusion/open.node.ts'
import type { DiffusionRun } from './tasks/diffusion/diffusionConfig.ts'
import { isDiffusion, type TaskName, type TrainConfig } from './tasks/registry.ts'
import { trainError, type TrainError } from './trainError.ts'

/** What a run has learned. */
export interface LoadedRun extends LoadedWeights {
  /** The steps it was trained for. */
  readonly step: number
  /** The weights as the last step left them. */
  readonly params: Params
  readonly warnings: readonly string[]
}

/** What to do with a run that learns something else than to draw. */
const instead: { readonly [K in Exclude<TaskName, 'diffusion'>]: (directory: string) => string } = {
  autoencoder: (directory) =>
    `an autoencoder, which draws nothing by itself: see what it keeps of pictures by \`fathom reconstruct ${directory}\`, or train a model on its latents, \`fathom train FOLDER --latent ${directory}\``,
  classification: (directory) =>
    `a classifier, which draws nothing: it says what pictures show, \`fathom classify ${directory} PICTURE …\``,
  text: (directory) => `a text model, which draws no pictures: it writes, \`fathom write ${directory}\``,
}

/** Left for a run that learns something else than to draw. */
const requireDrawing = (directory: string, config: TrainConfig): E.Either<TrainError, DiffusionRun> =>
  isDiffusion(config)
    ? E.right(config)
    : E.left(trainError('RUN-NONE', `${directory} is a run of ${instead[config.task](directory)}`))

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
      const { task } = recipeOf(config)
      const { model, schedule } = task
      return pipe(
        config.latent === undefined ? TE.right(undefined) : autoencoderOfRun(directory, config.latent),
        TE.bindTo('autoencoder'),
        TE.bind('learned', () => learnedIn(directory, config, task, which)),
        TE.map(({ autoencoder, learned }) => ({
          config,
          ...learned,
          model,
          schedule,
          ...(autoencoder !== undefined && { autoencoder }),
        })),
      )
    }),
  )
