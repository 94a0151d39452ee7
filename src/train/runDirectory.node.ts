/**
 * The directory of a run: config.json, metrics.jsonl, loss.svg, first-batch.png, samples/ and checkpoints/. What is where, and reading
 * and writing it.
 */
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  acquireRunLock,
  appendMetric,
  encodePng,
  imageGrid,
  lineChart,
  makeDurableDirectory,
  newestCheckpoint,
  nodeFileSystem,
  replaceFile,
  salvageMetrics,
  saveCheckpoint,
  truncateMetricsAfter,
  type MetricRecord,
  type ReadOptions,
  type RunLock,
  type RunLockError,
} from '../io/index.ts'
import { E, pipe, TE } from '../prelude/fp.ts'
import { decodeConfig } from './config.ts'
import { diverged, nonFiniteIn } from './finite.ts'
import { channelsOf, type TrainConfig } from './trainConfig.ts'
import type { Progress } from './stateFiles.ts'
import { progressIn, stateFromFiles, stateToFiles } from './stateFiles.ts'
import type { Device } from '../tensor/device.ts'
import type { TrainState } from './recipe.ts'
import { trainError, trainErrorOf, type TrainError } from './trainError.ts'

const names = {
  config: 'config.json',
  metrics: 'metrics.jsonl',
  chart: 'loss.svg',
  firstBatch: 'first-batch.png',
  samples: 'samples',
  checkpoints: 'checkpoints',
} as const

/** What {@link names} calls the parts of a run, for the files beside this one. */
export const partOf = (directory: string, part: keyof typeof names): string => join(directory, names[part])

const runError = trainErrorOf('RUN-IO')

const pad = (step: number): string => String(step).padStart(6, '0')

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A record's values by sorted names, hashed. */
const hashOf = (determining: Readonly<Record<string, unknown>>, model: object): string => {
  const canonical = JSON.stringify(determining, Object.keys({ ...determining, ...model }).toSorted())
  return createHash('sha256').update(canonical).digest('hex')
}

/** The settings that determine a run's numbers: where it lies, how often it reports and how long it goes on do not. */
const determiningOf = (config: TrainConfig) => {
  const {
    out: _,
    folder,
    steps: _t,
    saveEvery: _s,
    sampleEvery: _p,
    heldOutEvery: _h,
    sampleCount: _c,
    sampleSteps: _n,
    ...determining
  } = config
  return { ...determining, seas: folder === null }
}

/**
 * SHA-256 of the settings that a run cannot change on its way. It may go on for more steps, with the rates of a longer run from there
 * on; a checkpoint says for how many it was planned.
 */
export const configHash = (config: TrainConfig): string => hashOf(determiningOf(config), config.model)

/** The hash that runs of before wrote, which went by the steps too. */
const olderConfigHash = (config: TrainConfig): string =>
  hashOf({ ...determiningOf(config), steps: config.steps }, config.model)

/** Whether a checkpoint was saved by a run of this configuration. */
export const isOf = (config: TrainConfig, { configHash: found }: Pick<Progress, 'configHash'>): boolean =>
  found === configHash(config) || found === olderConfigHash(config)

/** Takes the lock of a run; another process that works on it is an error. */
export const lockRun = (directory: string): TE.TaskEither<TrainError, RunLock> =>
  pipe(acquireRunLock(directory), TE.mapLeft(lockError))

/** Left when the run is no longer this process's; to be asked before it is written to. */
export const stillHeld = (lock: RunLock): TE.TaskEither<TrainError, void> => pipe(lock.check, TE.mapLeft(lockError))

const lockError = ({ code, message }: RunLockError): TrainError =>
  trainError(code === 'RUN-LOCK' ? 'RUN-LOCK' : 'RUN-IO', message)

/** Writes the configuration of a run. */
export const writeConfig = ({ out, ...written }: TrainConfig): TE.TaskEither<TrainError, void> =>
  pipe(replaceFile(partOf(out, 'config'), encode(`${JSON.stringify(written, undefined, 2)}\n`)), TE.mapLeft(runError))

/** The configuration of the run in a directory. */
export const readConfig = (directory: string): TE.TaskEither<TrainError, TrainConfig> => {
  const path = join(directory, names.config)
  return pipe(
    nodeFileSystem.readFile(path),
    TE.mapLeft((error) =>
      error.code === 'ENOENT'
        ? trainError(
            'RUN-NONE',
            `${directory} holds no run (no ${names.config}): name the directory that \`fathom train\` made`,
          )
        : runError(error),
    ),
    TE.chainEitherK((bytes) =>
      E.tryCatch(
        (): unknown => JSON.parse(new TextDecoder().decode(bytes)),
        () => trainError('CFG', `${path} is not JSON: restore it from a copy`),
      ),
    ),
    TE.chainEitherK((written) =>
      pipe(
        decodeConfig(typeof written === 'object' && written !== null ? { ...written, out: directory } : written),
        E.mapLeft(({ message }) => trainError('CFG', `${path}: ${message}`)),
      ),
    ),
  )
}

/** A state from a checkpoint, the step it was saved after, and what newer checkpoints cannot be used. */
export interface Restored {
  /** The checkpoint's name. */
  readonly name: string
  readonly state: TrainState
  readonly progress: Progress
  /** Sentences for the user; empty when the newest checkpoint was sound. */
  readonly warnings: readonly string[]
}

/** Left, with the reason, for a checkpoint whose weights are not numbers, or that says another step than its name. */
const judge: ReadOptions['judge'] = ({ step, files }) => {
  const bad = nonFiniteIn(files)
  if (bad !== undefined) return E.left(`the run had diverged: ${bad}`)
  return pipe(
    progressIn(files),
    E.filterOrElse(
      (progress) => progress.step === step,
      (progress) => `its state is of step ${progress.step}`,
    ),
  )
}

/** The newest state of a run that is whole, and made of numbers. */
export const restore = (config: TrainConfig, template: TrainState): TE.TaskEither<TrainError, Restored> =>
  pipe(
    newestCheckpoint(partOf(config.out, 'checkpoints'), { judge }),
    TE.mapLeft(trainErrorOf('CKPT')),
    TE.chainEitherK(({ name, files, skipped }) =>
      pipe(
        stateFromFiles(template, files),
        E.mapLeft((why) =>
          trainError(
            'CKPT',
            `checkpoint ${name} of ${config.out} does not fit its configuration: ${why}; was ${names.config} changed?`,
          ),
        ),
        E.filterOrElse(
          ({ progress }) => isOf(config, progress),
          () =>
            trainError(
              'CKPT',
              `${names.config} of ${config.out} was changed since checkpoint ${name} was saved: restore it, or start another run with \`fathom train\``,
            ),
        ),
        E.map(({ state, progress }) => ({
          name,
          state,
          progress,
          warnings: skipped.map((s) => `checkpoint ${s.name} is damaged (${s.reason}); using ${name}`),
        })),
      ),
    ),
  )

/** Metrics reach the disk before the checkpoint that counts on them. */
const syncMetrics = async (directory: string): Promise<void> => {
  const file = await open(join(directory, names.metrics), 'a')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Saves a checkpoint, unless its weights are no numbers; the path, also where only the removal of an old one failed. */
export const save = (
  device: Device,
  config: TrainConfig,
  state: TrainState,
  progress: Progress,
): TE.TaskEither<TrainError, string> => {
  const directory = config.out
  return pipe(
    TE.tryCatch(
      async () => {
        await syncMetrics(directory)
        return stateToFiles(device, state, progress)
      },
      (reason) =>
        trainError('RUN-IO', `the state of step ${progress.step} cannot be saved in ${directory}: ${String(reason)}`),
    ),
    TE.filterOrElse(
      (files) => nonFiniteIn(files) === undefined,
      (files) => diverged(config, nonFiniteIn(files) ?? '', progress.step),
    ),
    TE.chain((files) =>
      pipe(
        saveCheckpoint(partOf(directory, 'checkpoints'), progress.step, files),
        TE.orElse((error) =>
          error.code === 'CKPT-RETAIN'
            ? TE.right(join(directory, names.checkpoints, `step-${pad(progress.step)}`))
            : TE.left(error),
        ),
        TE.mapLeft(trainErrorOf('CKPT')),
      ),
    ),
  )
}

/** Appends the metrics of a step. */
export const record = (directory: string, metric: MetricRecord): TE.TaskEither<TrainError, void> =>
  pipe(appendMetric(join(directory, names.metrics), metric), TE.mapLeft(runError))

/** Forgets what was measured after a step. @returns sentences about what is missing */
export const rewind = (directory: string, step: number): TE.TaskEither<TrainError, readonly string[]> =>
  pipe(
    truncateMetricsAfter(partOf(directory, 'metrics'), step),
    TE.bimap(runError, ({ records, unreadable }) => {
      const path = partOf(directory, 'metrics')
      const missing = step - new Set(records.map((record) => record.step).filter((n) => n >= 1)).size
      return [
        ...(unreadable === 0 ? [] : [`${path} had ${lines(unreadable)} that cannot be read, which are removed`]),
        ...(missing <= 0
          ? []
          : [`${path} lacks ${missing} of the ${step} steps that are done, and so does the loss curve`]),
      ]
    }),
  )

const lines = (count: number): string => (count === 1 ? 'a line' : `${count} lines`)

/** All metrics of a run that can be read, a record for each step. */
export const metricsOf = (directory: string): TE.TaskEither<TrainError, readonly MetricRecord[]> =>
  pipe(
    salvageMetrics(partOf(directory, 'metrics')),
    TE.bimap(runError, ({ records }) => records),
  )

const seriesOf = (metrics: readonly MetricRecord[], name: string): readonly (readonly [number, number])[] =>
  metrics.flatMap((m) => (typeof m[name] === 'number' ? [[m.step, m[name]] as const] : []))

/** Draws the loss curve of all that was measured so far. */
export const drawChart = (directory: string): TE.TaskEither<TrainError, void> =>
  pipe(
    metricsOf(directory),
    TE.chain((metrics) => {
      const series = [
        { name: 'training', points: seriesOf(metrics, 'loss') },
        { name: 'held out', points: seriesOf(metrics, 'heldOut') },
      ]
      const svg = lineChart({ title: 'Loss', xLabel: 'step', yLabel: 'loss', series, logY: true })
      return pipe(replaceFile(join(directory, names.chart), encode(svg)), TE.mapLeft(runError))
    }),
  )

/** Writes pictures of a run's size as one sheet. @returns the path */
const writeSheet = (
  path: string,
  pictures: readonly Uint8Array[],
  config: TrainConfig,
): TE.TaskEither<TrainError, string> => {
  const { height, width } = config
  return pipe(
    makeDurableDirectory(dirname(path)), // `samples` may be gone, to save space
    TE.chain(() => replaceFile(path, encodePng(imageGrid(pictures, { height, width, channels: channelsOf(config) })))),
    TE.bimap(runError, () => path),
  )
}

/** The sheet of samples of a step. */
export const writeSamples = (
  config: TrainConfig,
  step: number,
  pictures: readonly Uint8Array[],
): TE.TaskEither<TrainError, string> =>
  writeSheet(join(config.out, names.samples, `step-${pad(step)}.png`), pictures, config)

/** The first pictures that the network is shown. */
export const writeFirstBatch = (
  config: TrainConfig,
  pictures: readonly Uint8Array[],
): TE.TaskEither<TrainError, string> => writeSheet(join(config.out, names.firstBatch), pictures, config)
