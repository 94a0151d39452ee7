/**
 * Decoding the configuration of a run from anything, with Either. What is wrong is said in words that help: unknown keys name
 * the nearest, values that do not fit say which do.
 */
import { decodeModel, factorOf, modelWith, withoutDefaultKind } from '../models/registry.ts'
import { expects, number, oneOf, record, show, text, whole, type Fault, type Fields } from '../prelude/decode.ts'
import { E, pipe } from '../prelude/fp.ts'
import { suggestion } from '../prelude/nearest.ts'
import { isRecord } from '../prelude/record.ts'
import { presets, type PresetName } from './presets.ts'
import { channelsOf, type TrainConfig } from './trainConfig.ts'
import { settingError, trainError, type TrainError } from './trainError.ts'

const fields: Fields<TrainConfig> = {
  folder: (x) =>
    x === null
      ? E.right(null)
      : pipe(
          text(x),
          E.mapLeft((): Fault => ({ expected: 'the path of a folder, or null for procedural seas' })),
        ),
  out: text,
  preset: text,
  height: whole(1, 8192),
  width: whole(1, 8192),
  channels: (x) => (x === undefined || x === 1 || x === 3 || x === 4 ? E.right(x ?? 3) : expects('1, 3 or 4')),
  model: decodeModel,
  batch: whole(1, 1e9),
  accumulate: whole(1, 1e6),
  steps: whole(1, 1e9),
  learningRate: number('a number above 0', (x) => x > 0 && Number.isFinite(x)),
  rate: oneOf('constant', 'cosine'),
  ema: number('a number in [0, 1), for instance 0.995', (x) => x >= 0 && x < 1),
  objective: oneOf('epsilon', 'x0', 'v'),
  schedule: oneOf('linear', 'cosine', 'sigmoid'),
  minSnr: (x) =>
    x === null || (typeof x === 'number' && x > 0) ? E.right(x) : expects('a number above 0, for instance 5, or null'),
  weighting: oneOf('snr', 'snr+1'),
  timesteps: whole(2, 100_000),
  flip: (x) => (typeof x === 'boolean' ? E.right(x) : expects('true or false')),
  seed: whole(0, 2 ** 52),
  device: text,
  saveEvery: whole(1),
  sampleEvery: whole(1),
  heldOutEvery: whole(1),
  sampleCount: whole(1, 1024),
  sampleSteps: whole(1),
}

/**
 * The names of all settings.
 *
 * @example
 * ```ts
 * import { settings } from 'fathom/train'
 *
 * settings.includes('learningRate') // => true
 * ```
 */
export const settings: readonly string[] = Object.keys(fields)

const fits = (n: number, factor: number): string => {
  const below = n - (n % factor)
  return below === 0 ? `use ${factor}` : `use ${below} or ${below + factor}`
}

/** Bytes of a sheet of samples at most: it is encoded as one picture. */
const largestSheet = 2 ** 30

/** The pictures that cannot be halved as often as the model does, as an error. */
const indivisible = ({ height, width, model }: TrainConfig): TrainError | undefined => {
  const factor = factorOf(model)
  const halvings = Math.log2(factor)
  const wrong = [height, width].find((side) => side % factor !== 0)
  if (wrong === undefined) return undefined
  const what = height === width ? 'image size' : `image ${wrong === height ? 'height' : 'width'}`
  return trainError(
    'CFG',
    `${what} ${wrong} is not divisible by ${factor} (${halvings} halving${halvings === 1 ? '' : 's'}): ${fits(wrong, factor)}`,
  )
}

/** What the values must be to one another. */
const checkTogether = (config: TrainConfig): E.Either<TrainError, TrainConfig> => {
  const { height, width, batch, accumulate, sampleCount, sampleSteps, timesteps } = config
  const channels = channelsOf(config)
  if (config.folder === null && channels !== 3)
    return E.left(settingError({ path: 'channels', expected: '3 for procedural seas', got: String(channels) }))
  const refused = indivisible(config)
  if (refused !== undefined) return E.left(refused)
  const size = `${height}×${width}`
  const sheet = sampleCount * height * width * channels
  if (sheet > largestSheet) {
    const most = Math.max(1, Math.floor((largestSheet * sampleCount) / sheet))
    const expected = `at most ${most} for pictures of ${size}`
    return E.left(settingError({ path: 'sampleCount', expected, got: String(sampleCount) }))
  }
  if (sampleSteps > timesteps) {
    const expected = `at most timesteps, ${timesteps}`
    return E.left(settingError({ path: 'sampleSteps', expected, got: String(sampleSteps) }))
  }
  const pictures = Math.floor(2 ** 32 / (channels * height * width))
  if (batch * accumulate > pictures) {
    const expected = `at most ${pictures} pictures of ${size} (a step draws no more than 2³² numbers of noise)`
    return E.left(settingError({ path: 'batch × accumulate', expected, got: `${batch} × ${accumulate}` }))
  }
  return E.right(config)
}

/** Runs that were written before there was a choice weigh by the ratio, and say nothing of the kind of their network, nor of channels, which were 3. */
const withChoices = (input: unknown): unknown => {
  if (!isRecord(input)) return input
  const { channels, ...others } = input
  const model = 'model' in input && { model: withoutDefaultKind(input['model']) }
  return { weighting: 'snr', ...others, ...model, ...(channels !== undefined && channels !== 3 && { channels }) }
}

/**
 * A whole configuration, as it was written by a run.
 *
 * @example
 * ```ts
 * import { decodeConfig, presets } from 'fathom/train'
 *
 * const { purpose, ...tiny } = presets.tiny
 * const written = { ...tiny, folder: null, out: 'runs/sea', preset: 'tiny', seed: 0, device: 'cpu' }
 * decodeConfig(JSON.parse(JSON.stringify(written))) // => right({ out: 'runs/sea', steps: 600, … })
 * decodeConfig({ ...written, ema: 1 }) // => left({ code: 'CFG', message: 'ema must be a number in [0, 1), …', … })
 * ```
 */
export const decodeConfig = (input: unknown): E.Either<TrainError, TrainConfig> =>
  pipe(
    record(fields)(withChoices(input)),
    E.mapLeft(({ inside = { path: 'the configuration', got: show(input) }, ...fault }) =>
      settingError({ ...fault, ...inside }),
    ),
    E.chain(checkTogether),
  )

const isPresetName = (name: string): name is PresetName => Object.hasOwn(presets, name)

/**
 * The configuration that some settings make: over those of their preset (`tiny` if none is named) and the defaults. Settings of the
 * model may be named one by one: over the preset's model, or, where they name another kind, over the defaults of that. One that is
 * undefined counts as absent.
 *
 * @returns Left with a message that names the setting, what it may be, and for an unknown one the nearest
 * @example
 * ```ts
 * import { configOf } from 'fathom/train'
 *
 * configOf({ out: 'runs/sea', preset: 'tiny', steps: 10 }) // => right({ steps: 10, batch: 16, folder: null, … })
 * configOf({ out: 'runs/sea', stpes: 10 }) // => left({ message: 'stpes is not a setting; did you mean steps?', … })
 * ```
 */
export const configOf = (given: { readonly [setting: string]: unknown }): E.Either<TrainError, TrainConfig> => {
  const named = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  const preset = named['preset'] ?? 'tiny'
  if (typeof preset !== 'string' || !isPresetName(preset)) {
    const names = Object.keys(presets)
    const hint = typeof preset === 'string' ? suggestion(preset, names) : ''
    return E.left(settingError({ path: 'preset', expected: `one of ${names.join(', ')}`, got: show(preset), hint }))
  }
  const { purpose: _, ...chosen } = presets[preset]
  const model = modelWith(chosen.model, named['model'])
  return decodeConfig({ folder: null, seed: 0, device: 'wasm', ...chosen, ...named, preset, model })
}
