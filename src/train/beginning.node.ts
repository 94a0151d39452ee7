/**
 * The beginning of a run, which counts only when its first checkpoint is there: a directory in which nothing was done yet (a kill, a full
 * disk, too large a batch before the first checkpoint) may be begun again, and nothing of it is worth keeping.
 */
import { readdir, readFile, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  holdsCheckpoint,
  makeDurableDirectory,
  nodeFileSystem,
  removeLeftovers,
  salvageMetrics,
  type RunLock,
} from '../io/index.ts'
import { E, pipe, TE } from '../prelude/fp.ts'
import { isRecord } from '../prelude/record.ts'
import { lockRun, partOf } from './store.node.ts'
import { names } from './store.ts'
import { decodeConfig } from './tasks/registry.ts'
import { trainError, trainErrorOf, type TrainError } from './trainError.ts'

const runError = trainErrorOf('RUN-IO')

/** Whether a run has done anything in a directory: there is a checkpoint, valid or not, a measurement, or a sheet. */
export const isBegun = (directory: string): TE.TaskEither<TrainError, boolean> =>
  pipe(
    TE.Do,
    TE.bind('saved', () => holdsCheckpoint(partOf(directory, 'checkpoints'))),
    TE.bindW('metrics', () => salvageMetrics(partOf(directory, 'metrics'))),
    TE.bimap(runError, ({ saved, metrics }) => saved || metrics.records.length + metrics.unreadable > 0),
  )

/** Removes what kills have left in a run. Only for who holds its lock. */
export const tidy = async (directory: string): Promise<void> => {
  await removeLeftovers(directory)()
  await removeLeftovers(directory, (name) => name.startsWith('lock.after-'))()
  await removeLeftovers(partOf(directory, 'checkpoints'))()
  // `fathom sample` writes beside the trainer, without the lock, and other names.
  await removeLeftovers(partOf(directory, 'samples'), (name) => name.startsWith('.tmp-step-'))()
}

/** Left when another process works on the run, before minutes are spent. */
const requireIdle = (directory: string): TE.TaskEither<TrainError, void> =>
  pipe(
    nodeFileSystem.list(directory),
    TE.match(
      () => false,
      (found) => found.includes('lock'),
    ),
    TE.fromTask<boolean, TrainError>,
    TE.chain((locked) =>
      locked
        ? pipe(
            lockRun(directory),
            TE.chain(({ release }) => pipe(release, TE.mapLeft(runError))),
          )
        : TE.right(undefined),
    ),
  )

/** Left where the directory has a file of the configuration's name that no run has written: it would be written over. */
const requireOwn = (directory: string): TE.TaskEither<TrainError, void> => {
  const path = partOf(directory, 'config')
  const foreign = trainError(
    'RUN-EXISTS',
    `${path} is there already, and is not of a run: choose another directory with --out, or move that file away`,
  )
  return pipe(
    TE.tryCatch(
      () => readFile(path, 'utf8'),
      (e) => e,
    ),
    TE.matchE(
      () => TE.right(undefined),
      (text) =>
        TE.fromEither(
          pipe(
            E.tryCatch(
              (): unknown => JSON.parse(text),
              () => foreign,
            ),
            E.chain((written) => (isRecord(written) ? decodeConfig({ ...written, out: directory }) : E.left(foreign))),
            E.bimap(
              () => foreign,
              () => undefined,
            ),
          ),
        ),
    ),
  )
}

/** Left unless a new run may begin in the directory. */
export const requireFree = (directory: string): TE.TaskEither<TrainError, void> =>
  pipe(
    requireOwn(directory),
    TE.chain(() => isBegun(directory)),
    TE.chain((begun) =>
      begun
        ? TE.left(
            trainError(
              'RUN-EXISTS',
              `${directory} holds a run already: continue it with \`fathom resume ${directory}\`, or choose another directory with --out`,
            ),
          )
        : requireIdle(directory),
    ),
  )

/** Makes the directory of a new run and locks it. It may exist, but hold no run that has begun. */
export const claim = (directory: string): TE.TaskEither<TrainError, RunLock> =>
  pipe(
    requireFree(directory),
    TE.chain(() => pipe(makeDurableDirectory(partOf(directory, 'samples')), TE.mapLeft(runError))),
    TE.chain(() => lockRun(directory)),
    TE.chainFirst((held) =>
      pipe(
        isBegun(directory), // again, now that nobody else can begin one
        TE.filterOrElse(
          (begun) => !begun,
          () =>
            trainError('RUN-EXISTS', `another process has just begun a run in ${directory}: choose another with --out`),
        ),
        TE.orElseFirst(() => pipe(held.release, TE.mapLeft(runError))),
      ),
    ),
  )

/** Names in a directory; of none where there is no directory. */
export const namesIn = async (directory: string): Promise<ReadonlySet<string>> =>
  new Set(await readdir(directory).catch(() => []))

/** Whether a beginning writes a file of this name. */
const isOfBeginning = (name: string): boolean =>
  name === names.config || name === names.metrics || name.startsWith(`${names.preview}.`)

/**
 * Removes what a beginning that failed has made, as far as the disk lets it.
 *
 * @param before names that were there before, which stay
 */
export const abandon = async (directory: string, lock: RunLock, before: ReadonlySet<string>): Promise<void> => {
  const quietly = (removal: Promise<unknown>): Promise<unknown> => removal.catch(() => undefined)
  await tidy(directory)
  for (const name of await namesIn(directory))
    if (!before.has(name) && isOfBeginning(name)) await quietly(rm(join(directory, name), { force: true }))
  for (const part of ['checkpoints', 'samples'] as const) await quietly(rmdir(partOf(directory, part))) // if it is empty
  await lock.release()
  const left = await readdir(directory).catch(() => ['?'])
  if (left.length === 0) await quietly(rmdir(join(directory)))
}
