/**
 * Decoding the configuration of a run from anything, with Either. What is wrong is said in words that help: unknown keys name
 * the nearest, values that do not fit say which do.
 */
import { E, pipe } from '../prelude/fp.ts'
import { printable } from '../prelude/printable.ts'
import { isRecord } from '../prelude/record.ts'
import { suggestion } from '../prelude/nearest.ts'
import { presets, type PresetName } from './presets.ts'
import type { ModelConfig, TrainConfig } from './trainConfig.ts'
import { settingError, trainError, type SettingError, type TrainError } from './trainError.ts'

/** What is wrong with a value: what it must be, and what was probably meant; what is wrong in a record has the path of its field. */
interface Fault extends Pick<SettingError, 'expected' | 'hint'> {
  /** The path inside the value, with what stands there; empty for the value itself. */
  readonly inside?: Pick<SettingError, 'path' | 'got'>
}

/** A value, or what is wrong with it. */
type Decoder<T> = (value: unknown) => E.Either<Fault, T>

const expects = (expected: string): E.Either<Fault, never> => E.left({ expected })

const whole =
  (low: number, high = Number.MAX_SAFE_INTEGER): Decoder<number> =>
  (x) =>
    typeof x === 'number' && Number.isSafeInteger(x) && x >= low && x <= high
      ? E.right(x)
      : expects(high === Number.MAX_SAFE_INTEGER ? `a whole number ≥ ${low}` : `a whole number from ${low} to ${high}`)

const number =
  (words: string, fits: (x: number) => boolean): Decoder<number> =>
  (x) =>
    typeof x === 'number' && fits(x) ? E.right(x) : expects(words)

const oneOf =
  <T extends string>(...names: readonly T[]): Decoder<T> =>
  (x) => {
    const found = names.find((name) => name === x)
    return found === undefined
      ? E.left({ expected: `one of ${names.join(', ')}`, hint: typeof x === 'string' ? suggestion(x, names) : '' })
      : E.right(found)
  }

const text: Decoder<string> = (x) =>
  typeof x === 'string' && x !== '' ? E.right(x) : expects('a text that is not empty')

const list =
  (longest: number, high: number): Decoder<readonly number[]> =>
  (x) =>
    Array.isArray(x) &&
    x.length > 0 &&
    x.length <= longest &&
    x.every((m: unknown): m is number => typeof m === 'number' && Number.isInteger(m) && m > 0 && m <= high)
      ? E.right(x)
      : expects(`a list of at most ${longest} whole numbers from 1 to ${high}`)

type Fields<T> = { readonly [K in keyof T]: Decoder<T[K]> }

/** A value as a message shows it: what a terminal would obey is escaped, and what is long is cut. */
const show = (x: unknown): string => {
  const text = printable(JSON.stringify(x) ?? String(x))
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

const entriesOf = <T>(fields: Fields<T>): readonly (readonly [string, Decoder<unknown>])[] => Object.entries(fields)

const matches = <T>(fields: Fields<T>, x: unknown): x is T =>
  isRecord(x) && entriesOf(fields).every(([key, decode]) => E.isRight(decode(x[key])))

/** A fault of a field as one of the record. */
const faultIn = (key: string, value: unknown, { inside, ...fault }: Fault): Fault => ({
  ...fault,
  inside: inside === undefined ? { path: key, got: show(value) } : { ...inside, path: `${key}.${inside.path}` },
})

/** Decodes a record field by field; a field that is unknown, or else the first that is wrong, is the error. */
const record =
  <T>(fields: Fields<T>): Decoder<T> =>
  (x) => {
    if (!isRecord(x)) return expects('a record of settings')
    const known = Object.keys(fields)
    const unknown = Object.keys(x).find((key) => !known.includes(key))
    if (unknown !== undefined)
      return E.left({
        expected: undefined,
        hint: suggestion(unknown, known) || `; there are ${known.join(', ')}`,
        inside: { path: printable(unknown.slice(0, 100)), got: show(x[unknown]) },
      })
    if (matches(fields, x)) return E.right(x)
    for (const [key, decode] of entriesOf(fields)) {
      const value = decode(x[key])
      if (E.isLeft(value)) return E.left(faultIn(key, x[key], value.left))
    }
    return expects('a record of settings')
  }

const modelFields: Fields<ModelConfig> = {
  width: (x) =>
    typeof x === 'number' && Number.isInteger(x) && x >= 4 && x <= 8192 && x % 2 === 0
      ? E.right(x)
      : expects('an even whole number from 4 to 8192'),
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
          E.mapLeft((): Fault => ({ expected: 'the path of a folder, or null for procedural seas' })),
        ),
  out: text,
  preset: text,
  height: whole(1, 8192),
  width: whole(1, 8192),
  model: record(modelFields),
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
  const halvings = model.multipliers.length - 1
  const factor = 2 ** halvings
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
  const refused = indivisible(config)
  if (refused !== undefined) return E.left(refused)
  const size = `${height}×${width}`
  const sheet = sampleCount * height * width * 3
  if (sheet > largestSheet) {
    const most = Math.max(1, Math.floor((largestSheet * sampleCount) / sheet))
    const expected = `at most ${most} for pictures of ${size}`
    return E.left(settingError({ path: 'sampleCount', expected, got: String(sampleCount) }))
  }
  if (sampleSteps > timesteps) {
    const expected = `at most timesteps, ${timesteps}`
    return E.left(settingError({ path: 'sampleSteps', expected, got: String(sampleSteps) }))
  }
  const pictures = Math.floor(2 ** 32 / (3 * height * width))
  if (batch * accumulate > pictures) {
    const expected = `at most ${pictures} pictures of ${size} (a step draws no more than 2³² numbers of noise)`
    return E.left(settingError({ path: 'batch × accumulate', expected, got: `${batch} × ${accumulate}` }))
  }
  return E.right(config)
}

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
  pipe(
    record(fields)(withWeighting(input)),
    E.mapLeft(({ inside = { path: 'the configuration', got: show(input) }, ...fault }) =>
      settingError({ ...fault, ...inside }),
    ),
    E.chain(checkTogether),
  )

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
  if (typeof preset !== 'string' || !isPresetName(preset)) {
    const names = Object.keys(presets)
    const hint = typeof preset === 'string' ? suggestion(preset, names) : ''
    return E.left(settingError({ path: 'preset', expected: `one of ${names.join(', ')}`, got: show(preset), hint }))
  }
  const { purpose: _, ...chosen } = presets[preset]
  const model = isRecord(named['model']) ? { ...chosen.model, ...named['model'] } : (named['model'] ?? chosen.model)
  return decodeConfig({ folder: null, seed: 0, device: 'wasm', ...chosen, ...named, preset, model })
}
