/**
 * Decoding the configuration of a run from anything, with Either. What is wrong is said in words that help: unknown keys name
 * the nearest, values that do not fit say which do.
 */
import type { BackendName } from '../backends/options.ts'
import { number, oneOf, record, show, text, whole, type Fault, type Fields } from '../prelude/decode.ts'
import { E, pipe } from '../prelude/fp.ts'
import { suggestion } from '../prelude/nearest.ts'
import { isRecord } from '../prelude/record.ts'
import type { RunConfig } from './runConfig.ts'
import {
  decodeTaskName,
  defaultPreset,
  defaultTask,
  presets,
  settingsOf,
  type PresetName,
  type TrainConfig,
} from './tasks/registry.ts'
import { settingError, type TrainError } from './trainError.ts'

const precision = oneOf('f32', 'mixed')

/** The settings as a run without a choice has written them: f32 is not written down. */
const withRunChoices = ({
  precision: chosen,
  ...others
}: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  chosen === undefined || chosen === 'f32' ? others : { ...others, precision: chosen }

const runFields: Fields<RunConfig> = {
  folder: (x) =>
    x === null
      ? E.right(null)
      : pipe(
          text(x),
          E.mapLeft((): Fault => ({ expected: 'the path of a folder, or null for procedural seas' })),
        ),
  out: text,
  preset: text,
  batch: whole(1, 1e9),
  accumulate: whole(1, 1e6),
  steps: whole(1, 1e9),
  learningRate: number('a number above 0', (x) => x > 0 && Number.isFinite(x)),
  rate: oneOf('constant', 'cosine'),
  ema: number('a number in [0, 1), for instance 0.995', (x) => x >= 0 && x < 1),
  seed: whole(0, 2 ** 52),
  device: text,
  precision: (x) => (x === undefined ? E.right('f32' as const) : precision(x)),
  saveEvery: whole(1),
  sampleEvery: whole(1),
  heldOutEvery: whole(1),
}

/**
 * The names of all settings of a run of the usual task.
 *
 * @example
 * ```ts
 * import { settings } from 'fathom/train'
 *
 * settings.includes('learningRate') // => true
 * ```
 */
export const settings: readonly string[] = Object.keys({ ...runFields, ...settingsOf(defaultTask).fields })

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
 * decodeConfig({ ...written, task: 'difusion' }) // => left({ message: 'task must be one of diffusion, …', … })
 * ```
 */
export const decodeConfig = (input: unknown): E.Either<TrainError, TrainConfig> => {
  const { task = defaultTask, ...written } = isRecord(input) ? input : {}
  return pipe(
    decodeTaskName(task),
    E.mapLeft((fault) => settingError({ ...fault, path: 'task', got: show(task) })),
    E.map(settingsOf),
    E.chain(({ fields, withChoices, check }) =>
      pipe(
        record({ ...runFields, ...fields })(isRecord(input) ? withChoices(withRunChoices(written)) : input),
        E.mapLeft(({ inside = { path: 'the configuration', got: show(input) }, ...fault }) =>
          settingError({ ...fault, ...inside }),
        ),
        E.chain(check),
      ),
    ),
  )
}

/** The fastest device that every machine has. Whoever wants a GPU where there is one asks `fastestDevice` first, as the command does. */
const usualDevice: BackendName = 'wasm'

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
  const preset = named['preset'] ?? defaultPreset
  if (typeof preset !== 'string' || !isPresetName(preset)) {
    const names = Object.keys(presets)
    const hint = typeof preset === 'string' ? suggestion(preset, names) : ''
    return E.left(settingError({ path: 'preset', expected: `one of ${names.join(', ')}`, got: show(preset), hint }))
  }
  const { purpose: _, ...chosen } = presets[preset]
  const inside = settingsOf(defaultTask).inside(chosen, named)
  return decodeConfig({ folder: null, seed: 0, device: usualDevice, ...chosen, ...named, ...inside, preset })
}
