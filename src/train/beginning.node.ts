/**
 * The beginning of a run, which counts only when its first checkpoint is there: a directory in which nothing was done yet (a kill, a full
 * disk, too large a batch before the first checkpoint) may be begun again, and nothing of it is worth keeping.
 */
import { readdir, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  holdsCheckpoint,
  makeDurableDirectory,
  nodeFileSystem,
  removeLeftovers,
  salvageMetrics,
  type RunLock,
} from '../io/index.ts'
import { pipe, TE } from '../prelude/fp.ts'
import { lockRun, partOf } from './store.node.ts'
import { names } from './store.ts'
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

/** Left unless a new run may begin in the directory. */
export const requireFree = (directory: string): TE.TaskEither<TrainError, void> =>
  pipe(
    isBegun(directory),
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

/** Removes what a beginning that failed has made, as far as the disk lets it; nothing that was there before. */
export const abandon = async (directory: string, lock: RunLock): Promise<void> => {
  const quietly = (removal: Promise<unknown>): Promise<unknown> => removal.catch(() => undefined)
  await tidy(directory)
  await quietly(rm(partOf(directory, 'config'), { force: true }))
  for (const name of await readdir(directory).catch(() => []))
    if (name.startsWith(`${names.preview}.`)) await quietly(rm(join(directory, name), { force: true }))
  for (const part of ['checkpoints', 'samples'] as const) await quietly(rmdir(partOf(directory, part))) // if it is empty
  await lock.release()
  const left = await readdir(directory).catch(() => ['?'])
  if (left.length === 0) await quietly(rmdir(join(directory)))
}
