/** The commands that begin runs whose presets say what is trained: what they share. */
import { resolve as absolute } from 'node:path'
import { E, type TE } from '../prelude/fp.ts'
import { isRecord } from '../prelude/record.ts'
import { train, type TrainConfig, type TrainError } from '../train/index.ts'
import type { Command } from './flag.ts'
import { inFlags, type Outcome } from './outcome.ts'
import type { FlagValue } from './parse.ts'
import { dryRun } from './plan.ts'
import { deviceOptionsOf, freshDirectory, settingsOf, withDevice, writtenIn } from './settings.ts'
import { commands, type CommandName } from './spec.ts'
import { say } from './terminal.ts'
import { watched } from './watched.ts'

/** Settings by name, not decoded yet. */
type Named = Readonly<Record<string, unknown>>

/** Settings that lack nothing any more, and what should be said of them. */
interface Completed {
  readonly settings: Named
  readonly notes: readonly string[]
}

/** How a command begins a run. */
interface Beginning {
  readonly command: CommandName
  /** What stands after the name of the data in that of the run. */
  readonly suffix: string
  readonly configOf: (given: Named) => E.Either<TrainError, TrainConfig>
  /** The settings with those that are found in the data, or elsewhere. @param place the data; absent where the task makes its own */
  readonly complete: (place: string | undefined, settings: Named) => TE.TaskEither<Outcome, Completed>
}

/** `{ 'weights.kl': 1 }` over settings as `{ weights: { kl: 1 } }`: what else is in the record stays. */
const nestedOver = (
  settings: Readonly<Record<string, unknown>>,
  named: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> =>
  Object.entries(named).reduce<Readonly<Record<string, unknown>>>((all, [path, value]) => {
    const [name = path, inner] = path.split('.', 2)
    if (inner === undefined) return { ...all, [name]: value }
    const before = all[name]
    return { ...all, [name]: { ...(isRecord(before) ? before : {}), [inner]: value } }
  }, settings)

/** Begins a run on what a person names. */
export type Begin = (place: string | undefined, flags: ReadonlyMap<string, FlagValue>) => Promise<Outcome>

/** The settings of files and flags, with a device, and with what is found in the data. */
const completedBy = async (
  { command, complete }: Beginning,
  place: string | undefined,
  flags: ReadonlyMap<string, FlagValue>,
): Promise<E.Either<Outcome, Completed>> => {
  const { flags: spec }: Command = commands[command]
  const written = writtenIn(flags)
  if (E.isLeft(written)) return written
  const chosen = await withDevice(nestedOver(written.right, settingsOf(flags, spec)), deviceOptionsOf(flags))()
  if (E.isLeft(chosen)) return chosen
  const { folder } = chosen.right.settings
  const completed = await complete(place ?? (typeof folder === 'string' ? folder : undefined), chosen.right.settings)()
  if (E.isLeft(completed)) return completed
  const { settings, notes } = completed.right
  return E.right({ settings, notes: [...chosen.right.notes, ...notes] })
}

/** The command that begins a run in this way. */
export const beginBy =
  (beginning: Beginning): Begin =>
  async (place, flags) => {
    const { command, suffix, configOf } = beginning
    const named = place === undefined ? undefined : absolute(place)
    const completed = await completedBy(beginning, named, flags)
    if (E.isLeft(completed)) return completed.left
    const { settings, notes } = completed.right
    const config = configOf({
      out: freshDirectory(place?.replace(/\.txt$/, ''), suffix),
      ...settings,
      ...(named !== undefined && { folder: named }),
    })
    if (E.isLeft(config)) return { code: 2, message: inFlags(config.left, commands[command].flags) }
    const options = deviceOptionsOf(flags)
    for (const note of notes) say(`  note      ${note}`)
    if (flags.has('dry-run')) return dryRun(config.right, options)
    say(`\n  run       ${config.right.out}`)
    return watched(options, (hooks) => train(config.right, hooks))
  }
