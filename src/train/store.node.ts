/** The directory of a run as its store, and the lock without which nothing is written to it. */
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  acquireRunLock,
  makeDurableDirectory,
  newestCheckpoint,
  nodeFileSystem,
  replaceFile,
  saveCheckpoint,
  withdrawCheckpoint,
  type RunLock,
  type RunLockError,
} from '../io/index.ts'
import { isFull, isMissing, type FileSystemError } from '../io/fileSystem.ts'
import { appendLine } from '../io/metricsLog.node.ts'
import { pipe, TE } from '../prelude/fp.ts'
import { names, padded, storeError, type CheckpointStore, type Store } from './store.ts'
import { trainError, trainErrorOf, type TrainError } from './trainError.ts'

/** A failure of the disk, and where it is full, how the run goes on when there is space. */
const runErrorIn =
  (directory: string) =>
  (error: FileSystemError): TrainError => {
    const { message, ...same } = trainErrorOf('RUN-IO')(error)
    return isFull(error)
      ? { ...same, message: `${message}; free some space, then go on with \`fathom resume ${directory}\`` }
      : { ...same, message }
  }

const lockError = ({ code, message }: RunLockError): TrainError =>
  trainError(code === 'RUN-LOCK' ? 'RUN-LOCK' : 'RUN-IO', message)

/** Takes the lock of a run; another process that works on it is an error. */
export const lockRun = (directory: string): TE.TaskEither<TrainError, RunLock> =>
  pipe(acquireRunLock(directory), TE.mapLeft(lockError))

/** Where a part of a run lies. */
export const partOf = (directory: string, part: 'config' | 'metrics' | 'samples' | 'checkpoints'): string =>
  join(directory, names[part])

const syncFile = async (path: string): Promise<void> => {
  const file = await open(path, 'a')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Left when the run is no longer this process's; asked before every write. */
type Held = TE.TaskEither<TrainError, void>

const checkpointsIn = (root: string, held: Held): CheckpointStore => ({
  save: (step, files) =>
    pipe(
      held,
      TE.chain(() =>
        pipe(
          saveCheckpoint(root, step, files),
          TE.orElse((error) =>
            error.code === 'CKPT-RETAIN' ? TE.right(join(root, `step-${padded(step)}`)) : TE.left(error),
          ),
          TE.mapLeft(trainErrorOf('CKPT')),
        ),
      ),
    ),
  newest: (judge) => pipe(newestCheckpoint(root, { judge }), TE.mapLeft(trainErrorOf('CKPT'))),
  withdraw: (step) =>
    pipe(
      held,
      TE.chain(() => pipe(withdrawCheckpoint(root, step), TE.mapLeft(trainErrorOf('CKPT')))),
    ),
})

/**
 * The store of the run in a directory.
 *
 * @param lock of the run; without it the store is only read from
 */
export const storeIn = (directory: string, lock?: Pick<RunLock, 'check'>): Store => {
  const held: Held =
    lock === undefined
      ? TE.left(storeError(`${directory} is not to be written to: it is open to be read`))
      : pipe(lock.check, TE.mapLeft(lockError))
  const pathOf = (name: string): string => join(directory, name)
  const runError = runErrorIn(directory)
  /** `samples` may be gone, to save space. */
  const madeFor = (name: string) =>
    name.includes('/') ? makeDurableDirectory(dirname(pathOf(name))) : TE.right(undefined)
  return {
    place: directory,
    pathOf,
    read: (name) =>
      pipe(
        nodeFileSystem.readFile(pathOf(name)),
        TE.matchE(
          (error) => (isMissing(error) ? TE.right(undefined) : TE.left(runError(error))),
          (bytes) => TE.right<TrainError, Uint8Array | undefined>(bytes),
        ),
      ),
    replace: (name, bytes) =>
      pipe(
        held,
        TE.chain(() =>
          pipe(
            madeFor(name),
            TE.chain(() => replaceFile(pathOf(name), bytes)),
            TE.mapLeft(runError),
          ),
        ),
      ),
    append: (name, line) =>
      pipe(
        held,
        TE.chain(() => pipe(appendLine(pathOf(name), line), TE.mapLeft(runError))),
      ),
    sync: (name) =>
      pipe(
        held,
        TE.chain(() =>
          TE.tryCatch(
            () => syncFile(pathOf(name)),
            (reason) => storeError(`${pathOf(name)} cannot be synced: ${String(reason)}`),
          ),
        ),
      ),
    checkpoints: checkpointsIn(partOf(directory, 'checkpoints'), held),
  }
}
