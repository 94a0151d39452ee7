/** How the configurations of a task are decoded and made, as data: each task has such a record. */
import { oneOf, show, type Decoder } from '../../prelude/decode.ts'
import { E, pipe } from '../../prelude/fp.ts'
import { suggestion } from '../../prelude/nearest.ts'
import { isRecord } from '../../prelude/record.ts'
import type { BackendName } from '../../backends/options.ts'
import { withRunChoices, type RunConfig } from '../runConfig.ts'
import { settingError, type TrainError } from '../trainError.ts'

/** What a preset chooses; where and from what to train it leaves to the user. */
export type PresetOf<C extends RunConfig> = Omit<C, 'folder' | 'out' | 'preset' | 'seed' | 'device'> & {
  readonly purpose: string
}

/** Settings by name, not decoded yet. */
export type Named = Readonly<Record<string, unknown>>

/** How the configurations `C` of a task are decoded and made. */
export interface Settings<C extends RunConfig> {
  /** The name of the task. */
  readonly task: string
  /** The names of all settings. */
  readonly names: readonly string[]
  readonly decode: Decoder<C>
  /** The settings with what was no choice yet when they were written, and as the task writes them. */
  readonly withChoices: (settings: Named) => Named
  /** Settings that are records, such as a model: what is named, over what a preset has chosen. */
  readonly inside: (chosen: PresetOf<C>, named: Named) => Named
  /** What the values must be to one another. */
  readonly check: (config: C) => E.Either<TrainError, C>
  readonly presets: Readonly<Record<string, PresetOf<C>>>
  /** The preset of those who name none. */
  readonly usualPreset: string
}

/**
 * The network that some settings make of a preset's: over that one's where they name its kind or none, and over the defaults of their own kind where they
 * name another, whose settings mean other things. What is no record stays as it is, to be refused.
 */
export const networkOver = <C extends { readonly kind: string }>(
  base: C,
  given: unknown,
  kinds: readonly C['kind'][],
  defaults: (kind: C['kind']) => C,
): unknown => {
  if (!isRecord(given)) return given ?? base
  const another = kinds.find((kind) => kind === given['kind'] && kind !== base.kind)
  return { ...(another === undefined ? base : defaults(another)), ...given }
}

/** Left for the settings of another task. */
const ofTask = (task: string, input: unknown): E.Either<TrainError, unknown> => {
  const named = isRecord(input) ? (input['task'] ?? task) : task
  return pipe(
    oneOf(task)(named),
    E.mapLeft((fault) => settingError({ ...fault, path: 'task', got: show(named) })),
  )
}

/** A whole configuration of a task, as a run has written it. */
export const decodedBy =
  <C extends RunConfig>({ task, decode, withChoices, check }: Settings<C>) =>
  (input: unknown): E.Either<TrainError, C> =>
    pipe(
      ofTask(task, input),
      E.chain(() =>
        pipe(
          decode(isRecord(input) ? withChoices(withRunChoices(input)) : input),
          E.mapLeft(({ inside = { path: 'the configuration', got: show(input) }, ...fault }) =>
            settingError({ ...fault, ...inside }),
          ),
        ),
      ),
      E.chain(check),
    )

/** The fastest device that every machine has. Whoever wants a GPU where there is one asks `fastestDevice` first, as the command does. */
const usualDevice: BackendName = 'wasm'

/** The configuration that some settings make, over those of their preset. One that is undefined counts as absent. */
export const madeBy =
  <C extends RunConfig>(task: Settings<C>) =>
  (given: Named): E.Either<TrainError, C> => {
    const named = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
    const { presets, usualPreset, inside } = task
    const own = ofTask(task.task, named) // before its preset, which means nothing here
    if (E.isLeft(own)) return own
    const preset = named['preset'] ?? usualPreset
    const found = typeof preset === 'string' && Object.hasOwn(presets, preset) ? presets[preset] : undefined
    if (found === undefined) {
      const names = Object.keys(presets)
      const hint = typeof preset === 'string' ? suggestion(preset, names) : ''
      return E.left(settingError({ path: 'preset', expected: `one of ${names.join(', ')}`, got: show(preset), hint }))
    }
    const { purpose: _, ...chosen } = found
    const settings = {
      folder: null,
      seed: 0,
      device: usualDevice,
      ...chosen,
      ...named,
      ...inside(found, named),
      preset,
    }
    return decodedBy(task)(settings)
  }
