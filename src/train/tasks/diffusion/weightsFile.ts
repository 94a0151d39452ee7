/** A trained network as one file: its weights as safetensors, and among the texts of the file the settings that say what network they are of. */
import { recordsOf } from '../../../io/params.ts'
import { writeSafetensors } from '../../../io/safetensors.ts'
import { E, pipe } from '../../../prelude/fp.ts'
import { isRecord } from '../../../prelude/record.ts'
import type { Device } from '../../../tensor/device.ts'
import { configOf } from '../../config.ts'
import { settingError, trainError, type TrainError } from '../../trainError.ts'
import type { Params } from './diffusion.ts'
import type { DiffusionRun } from './diffusionConfig.ts'

/**
 * The bytes of a file that `fathom sample` and `loadWeights` draw from without another: weights, and the settings they were trained with. Where
 * the run lay and what computed it are left out.
 *
 * @param params on the device, or yet to be computed
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { readSafetensors } from 'fathom/io'
 * import { encodeWeights, initialState, presets, recipeOf } from 'fathom/train'
 *
 * const model = { width: 4, multipliers: [1], heads: 1, headWidth: 4 }
 * const config = { ...presets.tiny, folder: null, out: 'run', preset: 'tiny', seed: 0, device: 'cpu', model }
 * const file = readSafetensors(await encodeWeights(device, config, initialState(recipeOf(config), key(0)).averages[0]))
 * if (file._tag === 'Left') throw new Error(file.left.message)
 * file.right.tensors.get('head.bias') // => { dtype: 'f32', shape: [3], … }
 * file.right.metadata.get('config') // => '{"preset":"tiny",…}'
 * ```
 */
export const encodeWeights = async (device: Device, config: DiffusionRun, params: Params): Promise<Uint8Array> => {
  const { out: _, device: __, preset, ...settings } = config
  const texts = { format: 'fathom', config: JSON.stringify({ preset, ...settings }) }
  return writeSafetensors(await recordsOf(device, params), new Map(Object.entries(texts)))
}

/**
 * The configuration among the texts of a file of weights.
 *
 * @param path of the file
 * @param out where a run of it would lie
 */
export const configInWeights = (
  path: string,
  texts: ReadonlyMap<string, string>,
  out: string,
): E.Either<TrainError, DiffusionRun> => {
  const text = texts.get('config')
  if (text === undefined) {
    const expected = 'FILE.json, which says what network it is (config.json of a run)'
    return E.left(settingError({ path: 'config', expected, got: `none, and ${path} does not say it itself` }))
  }
  const unreadable = trainError('WEIGHTS', `${path}: the configuration in it is no record in JSON: give one beside it`)
  return pipe(
    E.tryCatch(
      (): unknown => JSON.parse(text),
      () => unreadable,
    ),
    E.filterOrElse(isRecord, () => unreadable),
    E.chain((settings) =>
      pipe(
        configOf({ ...settings, out }),
        E.mapLeft(({ message }) => trainError('WEIGHTS', `${path}: the configuration in it: ${message}`)),
      ),
    ),
  )
}
