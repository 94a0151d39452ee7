/** The commands `train` and `resume`. */
import { existsSync, readFileSync } from 'node:fs'
import { basename, join, resolve as absolute } from 'node:path'
import process from 'node:process'
import type { OptionsByName } from '../backends/options.ts'
import { showBytes, showFlops } from '../compiler/print.ts'
import { E, pipe, TE } from '../prelude/fp.ts'
import { range } from '../prelude/array.ts'
import { isRecord } from '../prelude/record.ts'
import {
  chooseTraining,
  configOf,
  fastestDevice,
  labelsIn,
  loadAutoencoder,
  planTraining,
  resume,
  showSettingError,
  train,
  trainingFacts,
  type TrainConfig,
  type TrainError,
  type TrainEvent,
  type TrainHooks,
  type TrainingChoice,
  type TrainingPlan,
  type TrainSummary,
} from '../train/index.ts'
import { isSize, type FlagValue } from './parse.ts'
import { progressOn } from './progress.ts'
import { grouped, header, showDuration } from './show.ts'
import { say } from './terminal.ts'
import type { Command, Flag } from './flag.ts'
import { commands } from './spec.ts'

/** How a command ended: the exit code, and where it failed the line that says why. */
export interface Outcome {
  readonly code: 0 | 1 | 2 | 130
  readonly message?: string
}

/** The command owns its process, so it may set flags of V8 (FATHOM_V8_FLAGS=0 forbids it). */
export const deviceOptions = { wasm: { v8Flags: true } } as const

/** The options of devices, as flags change them. */
export const deviceOptionsOf = (flags: ReadonlyMap<string, FlagValue>): OptionsByName => {
  const tune = flags.get('tune')
  return { ...deviceOptions, ...(typeof tune === 'boolean' && { webgpu: { tune } }) }
}

/** A failure of any kind, as an outcome. */
export const failed = ({ message }: { readonly message: string }): Outcome => ({ code: 1, message })

/** A path as a shell takes it. */
export const quoted = (path: string): string =>
  /^[\w./@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`

/** `runs/2026-11-23-ocean-1`: the first that is not there. @param kind what stands after the folder's name */
export const freshDirectory = (folder: string | undefined, kind = ''): string => {
  const name = folder === undefined ? 'seas' : basename(absolute(folder)).replaceAll(/[^\w.-]+/g, '-')
  const stem = join('runs', `${new Date().toISOString().slice(0, 10)}-${name}${kind}`)
  const n = range(10_000).find((i) => !existsSync(`${stem}-${i + 1}`)) ?? 0
  return `${stem}-${n + 1}`
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

/** A failure, which is wrong usage where it is about a setting that one of these flags names. */
export const failedWith =
  (flags: readonly string[]) =>
  ({ message, setting }: Pick<TrainError, 'message' | 'setting'>): Outcome =>
    setting !== undefined && flags.includes(setting.path)
      ? { code: 2, message: showSettingError(setting, `--${setting.path}`) }
      : failed({ message })

/** What is wrong with a setting, about the flag that sets it, or the record that it is in. @param spec the flags of the command */
export const inFlags = ({ message, setting }: TrainError, spec: Command['flags'] = commands.train.flags): string => {
  const flag = Object.entries<Flag>(spec).find(([, flag]) => `${setting?.path}.`.startsWith(`${flag.setting}.`))
  return setting === undefined || flag === undefined ? message : showSettingError(setting, `--${flag[0]}`)
}

/** How one sees more of what a run has learned. */
const drawMore = (directory: string): string => `Draw more with\n\n    fathom sample ${quoted(directory)}`

const report = (
  { directory, step, steps, interrupted, stage, loss, words, seconds }: TrainSummary,
  seeMore: (directory: string) => string,
): void => {
  if (interrupted) {
    const whose = stage === undefined ? '' : ` of ${stage}`
    say(
      `\n  stopped after step ${step} of ${steps}${whose}, and saved. Continue with\n\n    fathom resume ${quoted(directory)}\n`,
    )
    return
  }
  if (seconds === 0)
    say(
      `  the run is complete: all ${steps} steps are done. Train longer with\n\n    fathom resume ${quoted(directory)} --steps ${2 * steps}`,
    )
  if (loss !== undefined)
    say(`\n  done in ${showDuration(seconds)}: loss ${loss.toFixed(4)}${words === undefined ? '' : `, ${words}`}`)
  say(`  loss curve ${join(directory, 'loss.svg')}, samples in ${join(directory, 'samples')}. ${seeMore(directory)}\n`)
}

/** The ways a person or a system asks a process to stop; a terminal that is closed sends the last. */
const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Calls `stop` at the first Ctrl-C; a second one ends the process at once.
 *
 * A step keeps the process busy, so both may arrive together: then the handler runs twice. After the first, the handler is removed,
 * and the system's own handling needs nothing of a busy process.
 *
 * @returns a function that removes the handler
 */
const onStop = (stop: () => void): (() => void) => {
  let asked = false
  const remove = (): void => {
    for (const signal of stopSignals) process.off(signal, handler)
  }
  const handler = (): void => {
    if (asked) process.exit(130)
    asked = true
    stop()
    setImmediate(remove)
  }
  for (const signal of stopSignals) process.on(signal, handler)
  return remove
}

/** What is said at the end of a run. */
interface Watching {
  readonly fail?: (error: TrainError) => Outcome
  /** How one sees more of what the run has learned. */
  readonly seeMore?: (directory: string) => string
}

/** Runs with progress on the terminal; once a step is done the first Ctrl-C finishes the step and saves, the second ends the process at once. */
export const watched = async (
  options: OptionsByName,
  run: (hooks: TrainHooks) => TE.TaskEither<TrainError, TrainSummary>,
  { fail = failed, seeMore = drawMore }: Watching = {},
): Promise<Outcome> => {
  const controller = new AbortController()
  const { stdout } = process
  const progress = progressOn({
    isTTY: stdout.isTTY,
    columns: stdout.columns > 0 ? stdout.columns : 80,
    write: (text) => stdout.write(text),
    now: () => performance.now(),
  })
  let wasLost = false // the device, and no step was made since
  const stop = (): void => {
    progress.end()
    say(
      wasLost
        ? '  stopping where the last checkpoint stands … (Ctrl-C again ends at once, and loses nothing more)'
        : '  finishing the step and saving … (Ctrl-C again ends at once, and loses what came after the last checkpoint)',
    )
    controller.abort()
  }
  // Until the first step is done there is nothing to save, and compiling keeps the process too busy to hear of a signal: the system's
  // own handling ends it at once.
  let remove = (): void => undefined
  let listening = false
  const onEvent = (event: TrainEvent): void => {
    if (event._tag === 'Stepped' && !listening) {
      listening = true
      remove = onStop(stop)
    }
    if (event._tag === 'Stepped' || event._tag === 'DeviceLost') wasLost = event._tag === 'DeviceLost'
    progress.onEvent(event)
  }
  try {
    const { timeOrigin: since } = performance // what the process has spent so far is the run's
    const result = await run({ onEvent, since, signal: controller.signal, deviceOptions: options })()
    progress.end()
    if (E.isLeft(result)) return fail(result.left)
    report(result.right, seeMore)
    return { code: result.right.interrupted ? 130 : 0 }
  } finally {
    remove()
  }
}

/** What one stage of a run would take. @param said warnings that have been said */
const printStage = (
  { facts, kernels, flopsPerSecond, seconds, warnings }: TrainingPlan,
  said: readonly string[] = [],
): void => {
  for (const warning of warnings.filter((text) => !said.includes(text))) say(`  note      ${warning}`)
  say(header(facts).trimEnd())
  say(
    `  step      ${showFlops(facts.flops)} in ${kernels} kernels · this device reaches ${showFlops(flopsPerSecond)}/s on its convolutions`,
  )
  say(
    `  time      ≈ ${showDuration(seconds)} for ${grouped(facts.config.steps)} steps, samples and checkpoints not counted`,
  )
  say(`  disk      ${showBytes((3 + facts.averages) * facts.weights)} a checkpoint, 3 are kept`)
}

/** How long all of it would take. */
const wholeTime = ({ facts, seconds, firstStage }: TrainingPlan): readonly string[] => {
  const { time } = facts.config
  if (time !== undefined)
    return [
      `  in all    ${showDuration(time)}, samples and checkpoints counted: when the run begins its steps are timed, and may be more or fewer`,
    ]
  return firstStage === undefined
    ? []
    : [`  in all    ≈ ${showDuration(seconds + firstStage.seconds)}, samples and checkpoints not counted`]
}

const printPlan = (plan: TrainingPlan): void => {
  const { firstStage } = plan
  if (firstStage !== undefined) {
    say('\n  stage     1 of 2: the autoencoder')
    printStage(firstStage)
    say('\n  stage     2 of 2: the diffusion model on its latents')
  }
  printStage(plan, firstStage?.warnings)
  for (const line of wholeTime(plan)) say(firstStage === undefined ? line : `\n${line}`)
  say('  dry run: nothing was trained or written')
}

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
const latentOf = (place: FlagValue | undefined): TE.TaskEither<Outcome, Readonly<Record<string, unknown>>> =>
  typeof place !== 'string'
    ? TE.right({})
    : pipe(
        loadAutoencoder(absolute(place)),
        TE.bimap(failed, ({ latentChannels, factor, fingerprint }) => ({
          latent: { channels: latentChannels, factor, autoencoder: fingerprint, from: absolute(place) },
        })),
      )

/** The labels of a run that is to be told some. */
const labelsOf = (
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
const choiceFor = (
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

/** `fathom train`. */
export const runTrain = async (folder: string | undefined, flags: ReadonlyMap<string, FlagValue>): Promise<Outcome> => {
  const written = writtenIn(flags)
  if (E.isLeft(written)) return written.left
  const named = folder === undefined ? {} : { folder: absolute(folder) }
  const options = deviceOptionsOf(flags)
  const chosen = await withDevice({ ...written.right, ...settingsOf(flags) }, options)()
  if (E.isLeft(chosen)) return chosen.left
  const { settings, notes } = chosen.right
  const latent = await latentOf(flags.get('latent'))()
  if (E.isLeft(latent)) return latent.left
  const labels = await labelsOf(folder, flags)()
  if (E.isLeft(labels)) return labels.left
  const choice = await choiceFor(folder, flags, { ...settings, ...latent.right }, options)()
  if (E.isLeft(choice)) return choice.left
  const over = { ...settings, ...latent.right, ...labels.right, ...named }
  const config = configOf({ out: freshDirectory(folder), ...choice.right.settings, ...over })
  if (E.isLeft(config)) return { code: 2, message: inFlags(config.left) }
  for (const note of [...notes, ...choice.right.notes]) say(`  note      ${note}`)
  choice.right.reasons.forEach((reason, i) => say(`  ${i === 0 ? 'chosen' : '      '}    ${reason}`))
  if (flags.has('dry-run')) return dryRun(config.right, options)
  say(`\n  run       ${config.right.out}`)
  return watched(options, (hooks) => train(config.right, hooks))
}

/** What a run would take. */
export const dryRun = (config: TrainConfig, options: OptionsByName): Promise<Outcome> =>
  pipe(
    planTraining(config, options),
    TE.match(failed, (plan): Outcome => {
      printPlan(plan)
      return { code: 0 }
    }),
  )()

/** `fathom resume`. */
export const runResume = async (directory: string, flags: ReadonlyMap<string, FlagValue>): Promise<Outcome> => {
  const [steps, data, device] = [flags.get('steps'), flags.get('data'), flags.get('device')]
  return watched(
    deviceOptionsOf(flags),
    (hooks) =>
      resume(directory, hooks, {
        ...(typeof steps === 'number' && { steps }),
        ...(typeof data === 'string' && { folder: absolute(data) }),
        ...(typeof device === 'string' && { device }),
      }),
    { fail: failedWith(['steps']) },
  )
}
