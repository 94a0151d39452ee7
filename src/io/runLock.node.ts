/**
 * One writer for each run directory: a file `lock`, created exclusively, that names its process and when that process
 * started.
 *
 * A lock whose process is dead, or whose number now belongs to another process, is taken over. It protects on one
 * machine, not across a network.
 */
import { join } from 'node:path'
import { E, pipe, TE } from '../prelude/fp.ts'
import type { FileSystem, FileSystemError } from './fileSystem.ts'
import { nodeFileSystem } from './fileSystem.node.ts'
import { nodeProcesses, type Processes } from './processes.node.ts'

/**
 * `RUN-LOCK` the run is in use; `LOCK-IO` the lock could not be read or written. `pid` is the holder's, where one is
 * known.
 */
export type RunLockError = {
  readonly _tag: 'RunLockError'
  readonly code: 'RUN-LOCK' | 'LOCK-IO'
  readonly message: string
  readonly pid?: number
}

/** A lock that this process holds. `release` removes it, unless it is no longer this process's. */
export type RunLock = { readonly path: string; readonly release: TE.TaskEither<RunLockError, void> }

/** The ports. */
export type RunLockOptions = { readonly fileSystem?: FileSystem; readonly processes?: Processes }

type Holder = { readonly pid: number; readonly startTime: string | null }

const lockText = ({ pid, startTime }: Holder): string => `${JSON.stringify({ pid, startTime })}\n`

const parseHolder = (text: string): Holder | undefined => {
  const parsed = E.tryCatch(
    () => JSON.parse(text) as unknown,
    () => undefined,
  )
  if (E.isLeft(parsed) || typeof parsed.right !== 'object' || parsed.right === null) return undefined
  const { pid, startTime } = parsed.right as { pid?: unknown; startTime?: unknown }
  return typeof pid === 'number' && (typeof startTime === 'string' || startTime === null)
    ? { pid, startTime }
    : undefined
}

const ioError = (error: FileSystemError): RunLockError => ({
  _tag: 'RunLockError',
  code: 'LOCK-IO',
  message: error.message,
})

const unreadable = (path: string): RunLockError => ({
  _tag: 'RunLockError',
  code: 'RUN-LOCK',
  message: `${path} cannot be read (a crash while it was written?): delete it when no other process works on this run`,
})

const inUse = (path: string, pid: number): RunLockError => {
  const holder = `process ${pid}, which is alive (${path})`
  const message = `the run is in use by ${holder}: stop it first, or choose another run directory`
  return { _tag: 'RunLockError', code: 'RUN-LOCK', pid, message }
}

const contested = (guard: string): RunLockError => ({
  _tag: 'RunLockError',
  code: 'RUN-LOCK',
  message:
    `another process is taking over this run (${guard}): ` +
    'try again, and delete that file when no other process works on this run',
})

/** Whether the holder still runs: its number lives and, where both are known, started when the lock says. */
const holds = async (holder: Holder, processes: Processes): Promise<boolean> => {
  if (!processes.isAlive(holder.pid)) return false
  const now = await processes.startTime(holder.pid)
  return holder.startTime === null || now === undefined || holder.startTime === now
}

const create = (fs: FileSystem, path: string, text: string): TE.TaskEither<FileSystemError, boolean> =>
  pipe(
    fs.writeFile(path, new TextEncoder().encode(text), 'exclusive'),
    TE.map(() => true),
    TE.orElse((error) => (error.code === 'EEXIST' ? TE.right(false) : TE.left(error))),
  )

const readText = (fs: FileSystem, path: string): TE.TaskEither<RunLockError, string> =>
  pipe(
    fs.readFile(path),
    TE.mapLeft(ioError),
    TE.map((bytes) => new TextDecoder().decode(bytes)),
  )

/** Left unless the lock's process is gone. */
const requireStale = (fs: FileSystem, processes: Processes, path: string): TE.TaskEither<RunLockError, void> =>
  pipe(
    readText(fs, path),
    TE.chainEitherK((text) => E.fromNullable(unreadable(path))(parseHolder(text))),
    TE.chain((holder) =>
      pipe(
        TE.fromTask<boolean, RunLockError>(() => holds(holder, processes)),
        TE.chain((alive) => (alive ? TE.left(inUse(path, holder.pid)) : TE.right(undefined))),
      ),
    ),
  )

/**
 * Puts this process's lock in the place of a dead one's. Two processes may both find it stale, and the slower could
 * replace the faster's new lock; so whoever takes over holds a second exclusive file meanwhile, and looks again once
 * it does.
 */
const takeOver = (
  fs: FileSystem,
  processes: Processes,
  path: string,
  text: string,
): TE.TaskEither<RunLockError, void> => {
  const guard = `${path}.takeover`
  const replace = pipe(
    requireStale(fs, processes, path),
    TE.chain(() =>
      pipe(
        fs.writeFile(`${guard}.new`, new TextEncoder().encode(text), 'replace'),
        TE.chain(() => fs.rename(`${guard}.new`, path)),
        TE.mapLeft(ioError),
      ),
    ),
  )
  return pipe(
    create(fs, guard, text),
    TE.mapLeft(ioError),
    TE.chain((mine) => (mine ? TE.right(undefined) : TE.left(contested(guard)))),
    TE.chain(() => async () => {
      const result = await replace()
      const removed = await pipe(fs.remove(guard), TE.mapLeft(ioError))()
      return E.isLeft(result) ? result : removed
    }),
  )
}

const release = (fs: FileSystem, path: string, text: string): TE.TaskEither<RunLockError, void> =>
  pipe(
    readText(fs, path),
    TE.chain((found) => (found === text ? pipe(fs.remove(path), TE.mapLeft(ioError)) : TE.right(undefined))),
  )

/**
 * Takes the lock of a run directory.
 *
 * @param directory the run directory; must exist
 * @returns Left `RUN-LOCK` when a living process holds it (this process too), or when the lock cannot be read
 * @example
 * ```ts
 * import { acquireRunLock } from 'fathom/io'
 *
 * const lock = await acquireRunLock('.')()
 * await acquireRunLock('.')() // => left({ code: 'RUN-LOCK', message: 'the run is in use by process …', … })
 * if (lock._tag === 'Right') await lock.right.release()
 * await acquireRunLock('.')() // => right({ path: 'lock', … })
 * ```
 */
export const acquireRunLock = (
  directory: string,
  options: RunLockOptions = {},
): TE.TaskEither<RunLockError, RunLock> => {
  const fs = options.fileSystem ?? nodeFileSystem
  const processes = options.processes ?? nodeProcesses
  const path = join(directory, 'lock')
  return pipe(
    TE.fromTask<string | undefined, RunLockError>(() => processes.startTime(processes.pid)),
    TE.map((startTime) => lockText({ pid: processes.pid, startTime: startTime ?? null })),
    TE.chainFirst((text) =>
      pipe(
        create(fs, path, text),
        TE.mapLeft(ioError),
        TE.chain((mine) =>
          mine
            ? TE.right(undefined)
            : pipe(
                requireStale(fs, processes, path),
                TE.chain(() => takeOver(fs, processes, path, text)),
              ),
        ),
      ),
    ),
    TE.map((text) => ({ path, release: release(fs, path, text) })),
  )
}
