/**
 * The directory of a run: config.json, metrics.jsonl, loss.svg, first-batch.png, samples/ and checkpoints/. What is where, and reading
 * and writing it.
 */
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import {
  acquireRunLock,
  appendMetric,
  encodePng,
  imageGrid,
  lineChart,
  newestCheckpoint,
  nodeFileSystem,
  readMetrics,
  replaceFile,
  saveCheckpoint,
  truncateMetricsAfter,
  type MetricRecord,
  type RunLock,
} from '../io/index.ts'
import type { FileSystemError } from '../io/index.ts'
import { E, pipe, TE } from '../prelude/fp.ts'
import { decodeConfig } from './config.ts'
import type { TrainConfig } from './trainConfig.ts'
import type { Progress } from './stateFiles.ts'
import { stateFromFiles, stateToFiles } from './stateFiles.ts'
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

const runError = trainErrorOf('RUN-IO')

const pad = (step: number): string => String(step).padStart(6, '0')

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

/** SHA-256 of the settings that determine a run's numbers; where it lies and how often it reports do not. */
export const configHash = (config: TrainConfig): string => {
  const {
    out: _,
    folder,
    saveEvery: _s,
    sampleEvery: _p,
    heldOutEvery: _h,
    sampleCount: _c,
    sampleSteps: _n,
    ...determining
  } = config
  const canonical = JSON.stringify(
    { ...determining, seas: folder === null },
    Object.keys({ ...determining, ...determining.model, seas: 0 }).toSorted(),
  )
  return createHash('sha256').update(canonical).digest('hex')
}

const holdsRun = (directory: string): TE.TaskEither<TrainError, boolean> =>
  pipe(
    nodeFileSystem.list(directory),
    TE.map((found) => found.includes(names.config) || found.includes(names.checkpoints)),
    TE.orElse((error) => (error.code === 'ENOENT' ? TE.right<FileSystemError, boolean>(false) : TE.left(error))),
    TE.mapLeft(runError),
  )

/** Takes the lock of a run; another process that works on it is an error. */
const lock = (directory: string): TE.TaskEither<TrainError, RunLock> =>
  pipe(
    acquireRunLock(directory),
    TE.mapLeft(({ code, message }) => trainError(code === 'RUN-LOCK' ? 'RUN-LOCK' : 'RUN-IO', message)),
  )

/** Left unless a new run may begin in the directory. */
export const requireFree = (directory: string): TE.TaskEither<TrainError, void> =>
  pipe(
    holdsRun(directory),
    TE.chain((held) =>
      held
        ? TE.left(
            trainError(
              'RUN-EXISTS',
              `${directory} holds a run already: continue it with \`fathom resume ${directory}\`, or choose another directory with --out`,
            ),
          )
        : TE.right(undefined),
    ),
  )

/** Makes the directory of a new run, locks it and writes its configuration. The directory may exist, but hold no run. */
export const createRun = (config: TrainConfig): TE.TaskEither<TrainError, RunLock> => {
  const { out, ...written } = config
  return pipe(
    requireFree(out),
    TE.chain(() => pipe(nodeFileSystem.makeDirectory(join(out, names.samples)), TE.mapLeft(runError))),
    TE.chain(() => lock(out)),
    TE.chainFirst((held) =>
      pipe(
        requireFree(out), // again, now that nobody else can begin one
        TE.chain(() =>
          pipe(
            replaceFile(join(out, names.config), encode(`${JSON.stringify(written, undefined, 2)}\n`)),
            TE.mapLeft(runError),
          ),
        ),
        TE.orElseFirst(() => pipe(held.release, TE.mapLeft(runError))),
      ),
    ),
  )
}

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

/** Locks a run that exists. */
export const openRun = lock

/** A state from a checkpoint, the step it was saved after, and what newer checkpoints are damaged. */
export interface Restored {
  readonly state: TrainState
  readonly progress: Progress
  /** Sentences for the user; empty when the newest checkpoint was sound. */
  readonly warnings: readonly string[]
}

/** The newest state of a run that is whole. */
export const restore = (config: TrainConfig, template: TrainState): TE.TaskEither<TrainError, Restored> =>
  pipe(
    newestCheckpoint(join(config.out, names.checkpoints)),
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
          ({ progress }) => progress.configHash === configHash(config),
          () =>
            trainError(
              'CKPT',
              `${names.config} of ${config.out} was changed since checkpoint ${name} was saved: restore it, or start another run with \`fathom train\``,
            ),
        ),
        E.map(({ state, progress }) => ({
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

/** Saves a checkpoint; the path, also where only the removal of an old one failed. */
export const save = (
  device: Device,
  directory: string,
  state: TrainState,
  progress: Progress,
): TE.TaskEither<TrainError, string> =>
  pipe(
    TE.tryCatch(
      async () => {
        await syncMetrics(directory)
        return stateToFiles(device, state, progress)
      },
      (reason) =>
        trainError('RUN-IO', `the state of step ${progress.step} cannot be saved in ${directory}: ${String(reason)}`),
    ),
    TE.chain((files) =>
      pipe(
        saveCheckpoint(join(directory, names.checkpoints), progress.step, files),
        TE.orElse((error) =>
          error.code === 'CKPT-RETAIN'
            ? TE.right(join(directory, names.checkpoints, `step-${pad(progress.step)}`))
            : TE.left(error),
        ),
        TE.mapLeft(trainErrorOf('CKPT')),
      ),
    ),
  )

/** Appends the metrics of a step. */
export const record = (directory: string, metric: MetricRecord): TE.TaskEither<TrainError, void> =>
  pipe(appendMetric(join(directory, names.metrics), metric), TE.mapLeft(runError))

/** Forgets what was measured after a step. */
export const rewind = (directory: string, step: number): TE.TaskEither<TrainError, void> =>
  pipe(truncateMetricsAfter(join(directory, names.metrics), step), TE.mapLeft(runError))

/** All metrics of a run, a record for each step. */
export const metricsOf = (directory: string): TE.TaskEither<TrainError, readonly MetricRecord[]> =>
  pipe(readMetrics(join(directory, names.metrics)), TE.mapLeft(runError))

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
  { height, width }: TrainConfig,
): TE.TaskEither<TrainError, string> =>
  pipe(
    replaceFile(path, encodePng(imageGrid(pictures, { height, width, channels: 3 }))),
    TE.bimap(runError, () => path),
  )

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
