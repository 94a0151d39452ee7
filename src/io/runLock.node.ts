/**
 * One writer for each run directory: a file `lock`, created exclusively, that names its process: number, start time, the place where
 * that number means something (machine, boot, PID namespace), and a token of its own.
 *
 * Who is in the same place as the holder asks the system whether that very process lives, and is sure. Who is not (another container,
 * another machine on a shared disk) goes by signs of life: the holder writes to the file every few seconds, and a silence of
 * {@link longSilence} seconds means that it is dead.
 *
 * Nothing is taken from a holder: whoever finds it dead creates `lock.after-<its token>`, exclusively, which only one can, and so
 * is the holder; then it renames that file to `lock`. So the holder is the end of a chain that begins at `lock`, at every moment one,
 * also after a kill at any of these steps. A holder that was taken for dead (suspended for minutes, say) learns it by `check`, which
 * is to be asked before every write.
 */
import { requireKnown } from '../prelude/options.ts'
import { createHash, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { E, pipe, TE } from '../prelude/fp.ts'
import { isMissing, type FileSystem, type FileSystemError } from './fileSystem.ts'
import { nodeFileSystem } from './fileSystem.node.ts'
import { holderText, hostOf, parseHolder, type Holder } from './lockHolder.ts'
import { nodeProcesses, type Processes } from './processes.node.ts'
import { longSilence, nodeSignsOfLife, type SignsOfLife } from './signsOfLife.node.ts'

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

/** A lock that this process holds. */
export type RunLock = {
  readonly path: string
  /** Left `RUN-LOCK` when it is no longer this process's. To be asked before every write. */
  readonly check: TE.TaskEither<RunLockError, void>
  /** Removes it, unless it is no longer this process's. */
  readonly release: TE.TaskEither<RunLockError, void>
}

/** The ports. */
export type RunLockOptions = {
  readonly fileSystem?: FileSystem
  readonly processes?: Processes
  readonly signs?: SignsOfLife
}

type Ports = Required<RunLockOptions> & { readonly path: string }

/** A link of the chain: a file, what stands in it, and the file that would come after it. */
interface Link {
  readonly file: string
  readonly text: string
  readonly holder: Holder | undefined
  readonly next: string
}

const lockError = (code: RunLockError['code'], message: string, pid?: number): RunLockError => ({
  _tag: 'RunLockError',
  code,
  message,
  ...(pid === undefined ? {} : { pid }),
})

const ioError = ({ message }: FileSystemError): RunLockError => lockError('LOCK-IO', message)

/** A file without a holder was left by a kill in mid-write, or is being written: its text stands for the token. */
const tokenOf = (text: string): string =>
  parseHolder(text)?.token ?? createHash('sha256').update(text).digest('hex').slice(0, 16)

const linkOf = (path: string, file: string, text: string): Link => ({
  file,
  text,
  holder: parseHolder(text),
  next: `${path}.after-${tokenOf(text)}`,
})

/** The text of a file; undefined when there is none. */
const textOf = ({ fileSystem }: Ports, file: string): TE.TaskEither<RunLockError, string | undefined> =>
  pipe(
    fileSystem.readFile(file),
    TE.map((bytes): string | undefined => new TextDecoder().decode(bytes)),
    TE.orElse((error) => (isMissing(error) ? TE.right(undefined) : TE.left(ioError(error)))),
  )

/** The end of the chain; undefined when nobody holds the run. */
const endOfChain =
  (ports: Ports): TE.TaskEither<RunLockError, Link | undefined> =>
  async () => {
    let [file, end, seen]: [string, Link | undefined, Set<string>] = [ports.path, undefined, new Set()]
    while (!seen.has(file)) {
      seen.add(file)
      const text = await textOf(ports, file)()
      if (E.isLeft(text)) return text
      if (text.right === undefined) break
      end = linkOf(ports.path, file, text.right)
      file = end.next
    }
    return E.right(end)
  }

/** What the system says of a holder in this place: undefined when it cannot tell, as of one that is elsewhere. */
const isKnownAlive = async (holder: Holder | undefined, { processes }: Ports): Promise<boolean | undefined> => {
  if (holder?.place === undefined || holder.place !== (await processes.place())) return undefined
  if (!processes.isAlive(holder.pid)) return false
  const now = await processes.startTime(holder.pid)
  return now === undefined || holder.startTime === undefined ? undefined : holder.startTime === now
}

const ago = (seconds: number): string => (seconds < 1.5 ? 'a moment ago' : `${Math.round(seconds)} seconds ago`)

const inUse = ({ file, holder }: Link, silence: number | undefined): RunLockError => {
  if (holder === undefined)
    return lockError(
      'RUN-LOCK',
      `${file} is being written, or was left by a process that was killed as it wrote: try again in ${longSilence} seconds`,
    )
  const who = `process ${holder.pid}`
  return lockError(
    'RUN-LOCK',
    silence === undefined
      ? `the run is in use by ${who}, which is alive (${file}): stop it first, or choose another run directory`
      : `the run is in use by ${who}, in another container or on another machine (${hostOf(holder)}), which gave a sign of life ${ago(silence)} (${file}): ` +
          `stop it first, or choose another run directory; if it was killed, wait ${longSilence} seconds and try again`,
    holder.pid,
  )
}

/** Left unless the link's holder is gone. */
const requireDead =
  (ports: Ports, link: Link): TE.TaskEither<RunLockError, void> =>
  async () => {
    const alive = await isKnownAlive(link.holder, ports)
    if (alive === false) return E.right(undefined)
    if (alive === true) return E.left(inUse(link, undefined))
    const silence = await ports.signs.silence(link.file)()
    if (E.isLeft(silence)) return E.left(ioError(silence.left))
    return silence.right >= longSilence ? E.right(undefined) : E.left(inUse(link, silence.right))
  }

const contested = (path: string): RunLockError =>
  lockError('RUN-LOCK', `another process has just taken this run (${path}): try again when it has ended`)

/** Left unless the chain ends with this text. */
const requireMine = (ports: Ports, text: string): TE.TaskEither<RunLockError, Link> =>
  pipe(
    endOfChain(ports),
    TE.filterOrElse(
      (end): end is Link => end?.text === text,
      () => contested(ports.path),
    ),
  )

/** Creates a link and is the holder; Left when another process was faster, also where the link hangs on no chain any more. */
const create = (ports: Ports, file: string, text: string): TE.TaskEither<RunLockError, Link> =>
  pipe(
    ports.fileSystem.writeFile(file, new TextEncoder().encode(text), 'exclusive'),
    TE.mapLeft((error) => (error.code === 'EEXIST' ? contested(ports.path) : ioError(error))),
    TE.chain(() =>
      pipe(
        requireMine(ports, text),
        TE.orElseFirst(() => pipe(ports.fileSystem.remove(file), TE.mapLeft(ioError))),
      ),
    ),
  )

/** Makes the chain's end its beginning: one file `lock`. */
const shorten = ({ fileSystem, path }: Ports, { file }: Link): TE.TaskEither<RunLockError, void> =>
  file === path ? TE.right(undefined) : pipe(fileSystem.rename(file, path), TE.mapLeft(ioError))

const release = (ports: Ports, text: string): TE.TaskEither<RunLockError, void> =>
  pipe(
    endOfChain(ports),
    TE.chain((end) =>
      end?.text === text ? pipe(ports.fileSystem.remove(end.file), TE.mapLeft(ioError)) : TE.right(undefined),
    ),
  )

const lost = ({ path }: Ports): RunLockError =>
  lockError(
    'RUN-LOCK',
    `this process no longer holds the run (${path} is another's): it was silent for more than ${longSilence} seconds (suspended?), and another process may have gone on with the run; nothing more is written`,
  )

/** Left when the chain ends with another's text. A lock that was deleted by hand is made again. */
const stillMine = (ports: Ports, text: string): TE.TaskEither<RunLockError, void> =>
  pipe(
    endOfChain(ports),
    TE.chain((end) => {
      if (end === undefined)
        return pipe(
          create(ports, ports.path, text),
          TE.map(() => undefined),
        )
      return end.text === text ? TE.right(undefined) : TE.left(lost(ports))
    }),
  )

const held = (ports: Ports, text: string): RunLock => {
  const end = ports.signs.give(ports.path, text)
  return {
    path: ports.path,
    check: stillMine(ports, text),
    release: () => {
      end()
      return release(ports, text)()
    },
  }
}

/** The text of this process's lock. */
const ownText = async ({ processes }: Ports): Promise<string> => {
  const [startTime, place] = [await processes.startTime(processes.pid), await processes.place()]
  return holderText({ pid: processes.pid, startTime, place, token: randomUUID() })
}

/**
 * Takes the lock of a run directory.
 *
 * @param directory the run directory; must exist
 * @returns Left `RUN-LOCK` when a living process holds it (this process too), or one elsewhere may
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
  requireKnown('acquireRunLock', options, ['fileSystem', 'processes', 'signs'])
  const ports: Ports = {
    fileSystem: options.fileSystem ?? nodeFileSystem,
    processes: options.processes ?? nodeProcesses,
    signs: options.signs ?? nodeSignsOfLife,
    path: join(directory, 'lock'),
  }
  return pipe(
    TE.fromTask<string, RunLockError>(() => ownText(ports)),
    TE.chainFirst((text) =>
      pipe(
        endOfChain(ports),
        TE.chain((end) =>
          end === undefined
            ? create(ports, ports.path, text)
            : pipe(
                requireDead(ports, end),
                TE.chain(() => create(ports, end.next, text)),
              ),
        ),
        TE.chain((mine) => shorten(ports, mine)),
      ),
    ),
    TE.map((text) => held(ports, text)),
  )
}
