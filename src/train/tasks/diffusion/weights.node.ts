/** The weights of a network from a file. */
import { requireKnown } from '../../../prelude/options.ts'
import { dirname } from 'node:path'
import { readSafetensorsFile, treeFrom, type Safetensors } from '../../../io/index.ts'
import { namesOf, sourcesOf, takesShares } from '../../../models/registry.ts'
import { E, pipe, TE } from '../../../prelude/fp.ts'
import { suggestion } from '../../../prelude/nearest.ts'
import { key } from '../../../tensor/random.ts'
import { nonFiniteAmong } from '../../finite.ts'
import { settingError, trainError, trainErrorOf, type TrainError } from '../../trainError.ts'
import { diffusionOf, type LoadedWeights } from './diffusion.ts'
import type { DiffusionRun } from './diffusionConfig.ts'
import { configInWeights } from './weightsFile.ts'

/** How a file of weights is read. */
export interface WeightsOptions {
  /** Whose names and axes it has: `fathom` (default), or that of a program whose weights the network's family can take, as `lucidrains`. */
  readonly names?: string
}

/** What is wrong with the name of a program, for a network that takes the weights of others. */
const refusedNames = ({ model }: DiffusionRun, names: string): TrainError | undefined => {
  const known = sourcesOf(model)
  if (names !== 'fathom' && takesShares(model))
    return settingError({
      path: 'names',
      expected:
        'fathom for a network that is told shares of the time: with others it is told the logarithm of the signal-to-noise ratio',
      got: names,
    })
  return known.includes(names)
    ? undefined
    : settingError({
        path: 'names',
        expected: `one of ${known.join(', ')}`,
        got: names,
        hint: suggestion(names, known),
      })
}

/** The network of a configuration with the weights of a file. */
const weightsIn = (
  path: string,
  { tensors }: Safetensors,
  config: DiffusionRun,
  names: string,
): E.Either<TrainError, LoadedWeights> => {
  const refused = refusedNames(config, names)
  if (refused !== undefined) return E.left(refused)
  const { model, schedule } = diffusionOf(config)
  const template = model.init(key(0))
  const found = new Map([...tensors].map(([name, { shape }]) => [name, shape]))
  return pipe(
    treeFrom(template, tensors, { ...namesOf(config.model, names, template, found), round: true }),
    E.mapLeft(({ message }) => trainError('WEIGHTS', `${path}: ${message}`)),
    E.filterOrElse(
      () => nonFiniteAmong(path, tensors) === undefined,
      () => trainError('WEIGHTS', `the weights are no numbers: ${nonFiniteAmong(path, tensors) ?? ''}`),
    ),
    E.map((average) => ({ config, model, average, schedule })),
  )
}

/**
 * Reads the weights of a network from a safetensors file: `average.safetensors` of a checkpoint, one that `encodeWeights` made, or one that
 * another program wrote. Floats of 64 bits are rounded to the network's 32.
 *
 * @param config the network, the size of the pictures, and what it was trained for: schedule, timesteps and objective; default: what the file
 * says itself, as one of `encodeWeights` does
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
  config?: DiffusionRun,
  options: WeightsOptions = {},
): TE.TaskEither<TrainError, LoadedWeights> => {
  requireKnown('loadWeights', options, ['names'])
  const { names = 'fathom' } = options
  const refused = config === undefined ? undefined : refusedNames(config, names)
  if (refused !== undefined) return TE.left(refused)
  return pipe(
    readSafetensorsFile(path),
    TE.mapLeft(trainErrorOf('WEIGHTS')),
    TE.chainEitherK((file) =>
      pipe(
        config === undefined ? configInWeights(path, file.metadata, dirname(path)) : E.right(config),
        E.chain((known) => weightsIn(path, file, known, names)),
      ),
    ),
  )
}
