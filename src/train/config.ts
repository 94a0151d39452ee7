/**
 * Decoding the configuration of a run from anything, with Either. What is wrong is said in words that help: unknown keys name
 * the nearest, values that do not fit say which do.
 */
import { E, pipe } from '../prelude/fp.ts'
import { printable } from '../prelude/printable.ts'
import { suggestion } from '../prelude/nearest.ts'
import { presets, type PresetName } from './presets.ts'
import type { ModelConfig, TrainConfig } from './trainConfig.ts'
import { trainError, type TrainError } from './trainError.ts'

/** A value or the words that complete "… must be". */
type Decoder<T> = (value: unknown) => E.Either<string, T>

const whole =
  (low: number, high = Number.MAX_SAFE_INTEGER): Decoder<number> =>
  (x) =>
    typeof x === 'number' && Number.isSafeInteger(x) && x >= low && x <= high
      ? E.right(x)
      : E.left(high === Number.MAX_SAFE_INTEGER ? `a whole number ≥ ${low}` : `a whole number from ${low} to ${high}`)

const number =
  (words: string, fits: (x: number) => boolean): Decoder<number> =>
  (x) =>
    typeof x === 'number' && fits(x) ? E.right(x) : E.left(words)

const oneOf =
  <T extends string>(...names: readonly T[]): Decoder<T> =>
  (x) => {
    const found = names.find((name) => name === x)
    return found === undefined
      ? E.left(`one of ${names.join(', ')}${typeof x === 'string' ? suggestion(x, names) : ''}`)
      : E.right(found)
  }

const text: Decoder<string> = (x) =>
  typeof x === 'string' && x !== '' ? E.right(x) : E.left('a text that is not empty')

const list =
  (longest: number, high: number): Decoder<readonly number[]> =>
  (x) =>
    Array.isArray(x) &&
    x.length > 0 &&
    x.length <= longest &&
    x.every((m: unknown): m is number => typeof m === 'number' && Number.isInteger(m) && m > 0 && m <= high)
      ? E.right(x)
      : E.left(`a list of at most ${longest} whole numbers from 1 to ${high}`)

const isRecord = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === 'object' && x !== null && !Array.isArray(x)

type Fields<T> = { readonly [K in keyof T]: Decoder<T[K]> }

/** A value as a message shows it: what a terminal would obey is escaped, and what is long is cut. */
const show = (x: unknown): string => {
  const text = printable(JSON.stringify(x) ?? String(x))
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

const entriesOf = <T>(fields: Fields<T>): readonly (readonly [string, Decoder<unknown>])[] => Object.entries(fields)

const matches = <T>(fields: Fields<T>, x: unknown): x is T =>
  isRecord(x) && entriesOf(fields).every(([key, decode]) => E.isRight(decode(x[key])))

/** The words about the first field that is wrong. */
const wrongField = <T>(fields: Fields<T>, where: string, x: Readonly<Record<string, unknown>>): string | undefined => {
  for (const [key, decode] of entriesOf(fields)) {
    const value = decode(x[key])
    if (E.isLeft(value))
      return value.left.includes(' must be ') || value.left.includes(' is not a setting')
        ? value.left
        : `${where}${key} must be ${value.left}, got ${show(x[key])}`
  }
  return undefined
}

/** Decodes a record field by field; a field that is unknown, or else the first that is wrong, is the error. */
const record =
  <T>(fields: Fields<T>, where: string) =>
  (x: unknown): E.Either<string, T> => {
    if (!isRecord(x))
      return E.left(
        `${where === '' ? 'the configuration' : where.slice(0, -1)} must be a record of settings, got ${show(x)}`,
      )
    const known = Object.keys(fields)
    const unknown = Object.keys(x).find((key) => !known.includes(key))
    if (unknown !== undefined)
      return E.left(
        `${where}${printable(unknown.slice(0, 100))} is not a setting${suggestion(unknown, known) || `; there are ${known.join(', ')}`}`,
      )
    const wrong = wrongField(fields, where, x)
    return wrong === undefined && matches(fields, x) ? E.right(x) : E.left(wrong ?? `${where} cannot be read`)
  }

const modelFields: Fields<ModelConfig> = {
  width: (x) =>
    typeof x === 'number' && Number.isInteger(x) && x >= 4 && x <= 8192 && x % 2 === 0
      ? E.right(x)
      : E.left('an even whole number from 4 to 8192'),
  multipliers: list(12, 256),
  heads: whole(1, 1024),
  headWidth: whole(1, 4096),
}

const fields: Fields<TrainConfig> = {
  folder: (x) =>
    x === null
      ? E.right(null)
      : pipe(
          text(x),
          E.mapLeft(() => 'the path of a folder, or null for procedural seas'),
        ),
  out: text,
  preset: text,
  height: whole(1, 8192),
  width: whole(1, 8192),
  model: record(modelFields, 'model.'),
  batch: whole(1, 1e9),
  accumulate: whole(1, 1e6),
  steps: whole(1, 1e9),
  learningRate: number('a number above 0', (x) => x > 0 && Number.isFinite(x)),
  rate: oneOf('constant', 'cosine'),
  ema: number('a number in [0, 1), for instance 0.995', (x) => x >= 0 && x < 1),
  objective: oneOf('epsilon', 'x0', 'v'),
  schedule: oneOf('linear', 'cosine', 'sigmoid'),
  minSnr: (x) =>
    x === null || (typeof x === 'number' && x > 0) ? E.right(x) : E.left('a number above 0, for instance 5, or null'),
  weighting: oneOf('snr', 'snr+1'),
  timesteps: whole(2, 100_000),
  flip: (x) => (typeof x === 'boolean' ? E.right(x) : E.left('true or false')),
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

/** What the values must be to one another. */
const checkTogether = (config: TrainConfig): E.Either<string, TrainConfig> => {
  const halvings = config.model.multipliers.length - 1
  const factor = 2 ** halvings
  const wrong = (['height', 'width'] as const).find((side) => config[side] % factor !== 0)
  if (wrong !== undefined) {
    const what = config.height === config.width ? 'image size' : `image ${wrong}`
    return E.left(
      `${what} ${config[wrong]} is not divisible by ${factor} (${halvings} halving${halvings === 1 ? '' : 's'}): ${fits(config[wrong], factor)}`,
    )
  }
  const sheet = config.sampleCount * config.height * config.width * 3
  if (sheet > largestSheet)
    return E.left(
      `sampleCount must be at most ${Math.max(1, Math.floor((largestSheet * config.sampleCount) / sheet))} for pictures of ${config.height}×${config.width}, got ${config.sampleCount}`,
    )
  if (config.sampleSteps > config.timesteps)
    return E.left(`sampleSteps must be at most timesteps, ${config.timesteps}, got ${config.sampleSteps}`)
  const pictures = Math.floor(2 ** 32 / (3 * config.height * config.width))
  if (config.batch * config.accumulate > pictures)
    return E.left(
      `batch × accumulate must be at most ${pictures} pictures of ${config.height}×${config.width} (a step draws no more than 2³² numbers of noise), got ${config.batch} × ${config.accumulate}`,
    )
  return E.right(config)
}

const toError = E.mapLeft((message: string): TrainError => trainError('CFG', message))

/** Runs that were written before there was a choice weigh by the ratio. */
const withWeighting = (input: unknown): unknown => (isRecord(input) ? { weighting: 'snr', ...input } : input)

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
  pipe(record(fields, '')(withWeighting(input)), E.chain(checkTogether), toError)

const isPresetName = (name: string): name is PresetName => Object.hasOwn(presets, name)

/**
 * The configuration that some settings make: over those of their preset (`tiny` if none is named) and the defaults. Settings of the
 * model may be named one by one; one that is undefined counts as absent.
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
  if (typeof preset !== 'string' || !isPresetName(preset))
    return toError(
      E.left(
        `preset must be one of ${Object.keys(presets).join(', ')}, got ${show(preset)}${typeof preset === 'string' ? suggestion(preset, Object.keys(presets)) : ''}`,
      ),
    )
  const { purpose: _, ...chosen } = presets[preset]
  const model = isRecord(named['model']) ? { ...chosen.model, ...named['model'] } : (named['model'] ?? chosen.model)
  return decodeConfig({ folder: null, seed: 0, device: 'wasm', ...chosen, ...named, preset, model })
}
