/** The weights of a network from a file. */
import { readSafetensorsFile, treeFrom } from '../../../io/index.ts'
import { namesOf, sourcesOf } from '../../../models/registry.ts'
import { E, pipe, TE } from '../../../prelude/fp.ts'
import { suggestion } from '../../../prelude/nearest.ts'
import { key } from '../../../tensor/random.ts'
import { nonFiniteAmong } from '../../finite.ts'
import { settingError, trainError, trainErrorOf, type TrainError } from '../../trainError.ts'
import { diffusionOf, type LoadedWeights } from './diffusion.ts'
import type { DiffusionRun } from './diffusionConfig.ts'

/** How a file of weights is read. */
export interface WeightsOptions {
  /** Whose names and axes it has: `fathom` (default), or that of a program whose weights the network's family can take, as `lucidrains`. */
  readonly names?: string
}

/**
 * Reads the weights of a network from a safetensors file: `average.safetensors` of a checkpoint, or one that another program wrote. Floats
 * of 64 bits are rounded to the network's 32.
 *
 * @param config the network, the size of the pictures, and what it was trained for: schedule, timesteps and objective
 * @returns Left where the file does not hold exactly this network's weights, naming all that differs, or holds what is no number
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { saveParams } from 'fathom/io'
 * import { configOf, initialState, loadWeights, recipeOf, sample } from 'fathom/train'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 *
 * const model = { width: 4, multipliers: [1], heads: 1, headWidth: 4 }
 * const drawn = pipe(
 *   TE.fromEither(configOf({ out: 'run', height: 8, width: 8, model })),
 *   TE.chainFirstW((config) => saveParams(device, 'sea.safetensors', initialState(recipeOf(config), key(0)).params)),
 *   TE.chainW((config) => loadWeights('sea.safetensors', config)),
 *   TE.chainW((weights) => sample(weights, { count: 2, steps: 2, seed: 0 })),
 *   TE.map(({ pictures }) => pictures.length),
 * )
 * await drawn() // => right(2)
 * ```
 */
export const loadWeights = (
  path: string,
  config: DiffusionRun,
  { names = 'fathom' }: WeightsOptions = {},
): TE.TaskEither<TrainError, LoadedWeights> => {
  const known = sourcesOf(config.model)
  if (!known.includes(names))
    return TE.left(
      settingError({
        path: 'names',
        expected: `one of ${known.join(', ')}`,
        got: names,
        hint: suggestion(names, known),
      }),
    )
  const { model, schedule } = diffusionOf(config)
  const template = model.init(key(0))
  return pipe(
    readSafetensorsFile(path),
    TE.mapLeft(trainErrorOf('WEIGHTS')),
    TE.chainEitherK(({ tensors }) =>
      pipe(
        treeFrom(template, tensors, { ...namesOf(config.model, names, template), round: true }),
        E.mapLeft(({ message }) => trainError('WEIGHTS', `${path}: ${message}`)),
        E.filterOrElse(
          () => nonFiniteAmong(path, tensors) === undefined,
          () => trainError('WEIGHTS', `the weights are no numbers: ${nonFiniteAmong(path, tensors) ?? ''}`),
        ),
      ),
    ),
    TE.map((average) => ({ config, model, average, schedule })),
  )
}
