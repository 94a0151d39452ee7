/** The settings of a run, from flags, from a file, and from what is chosen where neither says them. */
import { existsSync, readFileSync } from 'node:fs'
import { basename, join, resolve as absolute } from 'node:path'
import type { OptionsByName } from '../backends/options.ts'
import { range } from '../prelude/array.ts'
import { E, pipe, TE } from '../prelude/fp.ts'
import { isRecord } from '../prelude/record.ts'
import {
  chooseTraining,
  fastestDevice,
  labelsIn,
  loadAutoencoder,
  type TrainingChoice,
  trainingFacts,
} from '../train/index.ts'
import type { Command } from './flag.ts'
import { failed, type Outcome } from './outcome.ts'
import { type FlagValue, isSize } from './parse.ts'
import { commands } from './spec.ts'

/** The command owns its process, so it may set flags of V8 (FATHOM_V8_FLAGS=0 forbids it). */
export const deviceOptions = { wasm: { v8Flags: true } } as const

/** The options of devices, as flags change them. */
export const deviceOptionsOf = (flags: ReadonlyMap<string, FlagValue>): OptionsByName => {
  const tune = flags.get('tune')
  return { ...deviceOptions, ...(typeof tune === 'boolean' && { webgpu: { tune } }) }
}

/** The settings that flags name. @param spec the flags of the command */
export const settingsOf = (
  flags: ReadonlyMap<string, FlagValue>,
  spec: Command['flags'] = commands.train.flags,
): Record<string, unknown> => {
  const settings: Record<string, unknown> = {}
  for (const [name, value] of flags) {
    const setting = spec[name]?.setting
    if (setting === undefined) continue
    if (isSize(value)) [settings['height'], settings['width']] = value
    else settings[setting] = value
  }
  return settings
}

/** The settings of a file, without its time where a flag names the steps. Left where flags name both. */
const underFlags = (
  written: Readonly<Record<string, unknown>>,
  flags: ReadonlyMap<string, FlagValue>,
): E.Either<Outcome, Readonly<Record<string, unknown>>> =>
  flags.has('steps') && flags.has('time')
    ? E.left({
        code: 2,
        message: '--time is in the place of --steps, which are then as many as fit: leave one of the two out',
      })
    : E.right({ ...written, ...(flags.has('steps') && { time: undefined }) })

/** The settings of a JSON file; none without a file. */
export const settingsIn = (path: FlagValue | undefined): E.Either<Outcome, Readonly<Record<string, unknown>>> =>
  typeof path !== 'string'
    ? E.right({})
    : pipe(
        E.tryCatch(
          (): unknown => JSON.parse(readFileSync(path, 'utf8')),
          (error): Outcome => ({
            code: 2,
            message: `--config ${path} cannot be read as JSON: ${error instanceof Error ? error.message : String(error)}`,
          }),
        ),
        E.filterOrElse(isRecord, (): Outcome => ({
          code: 2,
          message: `--config ${path} must hold one record of settings, like config.json of a run`,
        })),
      )

/** The settings of the file that a flag names. Left for wrong usage. */
export const writtenIn = (
  flags: ReadonlyMap<string, FlagValue>,
): E.Either<Outcome, Readonly<Record<string, unknown>>> =>
  pipe(
    settingsIn(flags.get('config')),
    E.chain((written) => underFlags(written, flags)),
  )

/** Settings that name a device, and what should be said of it. */
interface OnDevice {
  readonly settings: Readonly<Record<string, unknown>>
  readonly notes: readonly string[]
}

/** Settings with the fastest device where they name none; the notes say why it is none that is faster. */
export const withDevice = (
  settings: Readonly<Record<string, unknown>>,
  options: OptionsByName,
): TE.TaskEither<Outcome, OnDevice> =>
  settings['device'] !== undefined
    ? TE.right({ settings, notes: [] })
    : pipe(
        fastestDevice(options),
        TE.bimap(failed, ({ name, notes }) => ({
          settings: { ...settings, device: name },
          notes: notes.map((note) => `${note}, so the device is ${name} (\`fathom doctor\` says more)`),
        })),
      )

/** The settings of a run on the latents of the autoencoder that a flag names; none without the flag. */
export const latentOf = (place: FlagValue | undefined): TE.TaskEither<Outcome, Readonly<Record<string, unknown>>> =>
  typeof place !== 'string'
    ? TE.right({})
    : pipe(
        loadAutoencoder(absolute(place)),
        TE.bimap(failed, ({ latentChannels, factor, fingerprint }) => ({
          latent: { channels: latentChannels, factor, autoencoder: fingerprint, from: absolute(place) },
        })),
      )

/** The labels of a run that is to be told some. */
export const labelsOf = (
  folder: string | undefined,
  flags: ReadonlyMap<string, FlagValue>,
): TE.TaskEither<Outcome, Readonly<Record<string, unknown>>> =>
  flags.has('labels')
    ? pipe(
        labelsIn(folder === undefined ? null : absolute(folder)),
        TE.bimap(failed, (labels) => ({ labels })),
      )
    : TE.right({})

/** What is chosen for a run of which little is said. */
type Chosen = Pick<TrainingChoice, 'settings' | 'reasons' | 'notes'>

const nothingChosen: Chosen = { settings: {}, reasons: [], notes: [] }

/** Flags with which procedural seas are chosen for too; without them they are a first try, of seconds. */
const choosingFlags = ['time', 'size'] as const

/** Whether what is trained is said: by a preset, by a file, or by a number of steps, which is of the usual preset unless it is on latents. */
const isSaid = (flags: ReadonlyMap<string, FlagValue>): boolean =>
  flags.has('preset') || flags.has('config') || (flags.has('steps') && !flags.has('latent'))

/** What is chosen where nothing says what is trained. */
export const choiceFor = (
  folder: string | undefined,
  flags: ReadonlyMap<string, FlagValue>,
  given: Readonly<Record<string, unknown>>,
  options: OptionsByName,
): TE.TaskEither<Outcome, Chosen> => {
  const isAsked = folder !== undefined || choosingFlags.some((flag) => flags.has(flag))
  if (isSaid(flags) || !isAsked) return TE.right(nothingChosen)
  return pipe(
    trainingFacts(
      folder === undefined ? null : absolute(folder),
      { ...given, device: String(given['device']) },
      options,
    ),
    TE.bimap(failed, (facts) => {
      if (facts.sides?.length === 0) return nothingChosen // opening the pictures says why none can be used
      const { preset, settings, ...told } = chooseTraining(facts)
      return { ...told, settings: { preset, ...settings } }
    }),
  )
}

/** `runs/2026-11-23-ocean-1`: the first that is not there. @param kind what stands after the folder's name */
export const freshDirectory = (folder: string | undefined, kind = ''): string => {
  const name = folder === undefined ? 'seas' : basename(absolute(folder)).replaceAll(/[^\w.-]+/g, '-')
  const stem = join('runs', `${new Date().toISOString().slice(0, 10)}-${name}${kind}`)
  const n = range(10_000).find((i) => !existsSync(`${stem}-${i + 1}`)) ?? 0
  return `${stem}-${n + 1}`
}
