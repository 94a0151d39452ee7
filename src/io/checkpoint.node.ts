/**
 * Checkpoints that survive crashes: after any crash at any time, the newest one or the one before it can be read.
 *
 * A checkpoint is a directory `step-000600` with files and a manifest of their SHA-256 sums. It is written as
 * `.tmp-000600-<pid>`, synced, and comes into being by one rename. A step that is saved again becomes
 * `step-000600.2`, so that no moment is without a valid directory; the older one is removed afterwards. `latest`
 * names the last one saved, for people and scripts; reading does not trust it, nor any name, only sums.
 */
import { requireKnown } from '../prelude/options.ts'
import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import { E, pipe, TE } from '../prelude/fp.ts'
import {
  isFileName,
  manifestName,
  manifestText,
  parseManifest,
  type CheckpointManifest,
  type ManifestFile,
} from './checkpointManifest.ts'
import { isFull, isMissing, type FileSystem, type FileSystemError } from './fileSystem.ts'
import { nodeFileSystem } from './fileSystem.node.ts'
import { nodeProcesses, type Processes } from './processes.node.ts'
import { replaceFile } from './replaceFile.node.ts'

/**
 * What can go wrong: `DISK-FULL` and `CKPT-IO` while saving or listing, `CKPT-BAD` what was just written does not
 * read back, `CKPT-RETAIN` the new checkpoint is safe but an old one could not be removed, `CKPT-NONE` nothing valid
 * to resume from.
 */
export type CheckpointError = {
  readonly _tag: 'CheckpointError'
  readonly code: 'DISK-FULL' | 'CKPT-IO' | 'CKPT-BAD' | 'CKPT-RETAIN' | 'CKPT-NONE'
  readonly message: string
  readonly skipped: readonly SkippedCheckpoint[]
}

/** A directory that looked like a checkpoint and is not valid, and why. */
export type SkippedCheckpoint = { readonly name: string; readonly reason: string }

/** A verified checkpoint; `skipped` lists newer ones that are damaged, newest first: show them to the user. */
export type LoadedCheckpoint = {
  readonly name: string
  readonly step: number
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly skipped: readonly SkippedCheckpoint[]
}

/** How many to keep, and the ports. */
export type CheckpointOptions = {
  /** Newest checkpoints that retention leaves (default 3, at least 1). */
  readonly keep?: number
  readonly fileSystem?: FileSystem
  readonly processes?: Processes
}

export type Store = {
  readonly root: string
  readonly fs: FileSystem
  readonly processes: Processes
  readonly keep: number
}
export type Candidate = { readonly name: string; readonly step: number; readonly attempt: number }

export const openStore = (
  who: string,
  root: string,
  options: CheckpointOptions,
  more: readonly string[] = [],
): Store => {
  requireKnown(who, options, ['keep', 'fileSystem', 'processes', ...more])
  return {
    root,
    fs: options.fileSystem ?? nodeFileSystem,
    processes: options.processes ?? nodeProcesses,
    keep: Math.max(1, options.keep ?? 3),
  }
}

export const checkpointError = (
  code: CheckpointError['code'],
  message: string,
  skipped: readonly SkippedCheckpoint[] = [],
): CheckpointError => ({ _tag: 'CheckpointError', code, message, skipped })

export const fromFileSystem =
  (advice: string) =>
  (error: FileSystemError): CheckpointError =>
    checkpointError(
      isFull(error) ? 'DISK-FULL' : 'CKPT-IO',
      `${error.message}; ${isFull(error) ? 'free some space: ' : ''}${advice}`,
    )

const padded = (step: number): string => String(step).padStart(6, '0')
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const parseName = (name: string): readonly Candidate[] => {
  const [, step, attempt = '1'] = /^step-(\d{6,15})(?:\.(\d{1,9}))?$/.exec(name) ?? []
  return step === undefined ? [] : [{ name, step: Number(step), attempt: Number(attempt) }]
}

/** The names that claim to be checkpoints, newest first. */
export const candidatesIn = (names: readonly string[]): readonly Candidate[] =>
  names.flatMap(parseName).toSorted((a, b) => b.step - a.step || b.attempt - a.attempt)

const listCandidates = ({ fs, root }: Store): TE.TaskEither<FileSystemError, readonly Candidate[]> =>
  pipe(fs.list(root), TE.map(candidatesIn))

const readManifest = ({ fs, root }: Store, { name, step }: Candidate): TE.TaskEither<string, CheckpointManifest> =>
  pipe(
    fs.readFile(join(root, name, manifestName)),
    TE.mapLeft((error) => (isMissing(error) ? `${manifestName} is missing` : error.message)),
    TE.chainEitherK((bytes) => parseManifest(new TextDecoder().decode(bytes))),
    TE.filterOrElse(
      (manifest) => manifest.step === step,
      (manifest) => `${manifestName} says step ${manifest.step}`,
    ),
  )

const readVerified = (
  { fs, root }: Store,
  directory: string,
  file: ManifestFile,
): TE.TaskEither<string, readonly [string, Uint8Array]> =>
  pipe(
    fs.readFile(join(root, directory, file.name)),
    TE.mapLeft((error) => (isMissing(error) ? `${file.name} is missing` : error.message)),
    TE.filterOrElse(
      (bytes) => bytes.length === file.size,
      (bytes) => `${file.name} has ${bytes.length} bytes instead of ${file.size}`,
    ),
    TE.filterOrElse(
      (bytes) => sha256(bytes) === file.sha256,
      () => `${file.name} fails its checksum`,
    ),
    TE.map((bytes) => [file.name, bytes] as const),
  )

/** Reads a checkpoint and proves it: manifest, sizes, sums. Left says what is wrong. */
export const verify = (store: Store, candidate: Candidate): TE.TaskEither<string, ReadonlyMap<string, Uint8Array>> =>
  pipe(
    readManifest(store, candidate),
    TE.chain(({ files }) =>
      pipe(
        files,
        TE.traverseSeqArray((file) => readVerified(store, candidate.name, file)),
      ),
    ),
    TE.map((files) => new Map(files)),
  )

/** Every file and the manifest written and synced under a temporary name. */
const writeTemporary = (
  store: Store,
  temporary: string,
  step: number,
  files: ReadonlyMap<string, Uint8Array>,
): TE.TaskEither<FileSystemError, void> => {
  const { fs } = store
  const manifest = manifestText({
    step,
    files: [...files].map(([name, bytes]) => ({ name, size: bytes.length, sha256: sha256(bytes) })),
  })
  const contents = [...files, [manifestName, new TextEncoder().encode(manifest)] as const]
  return pipe(
    fs.remove(temporary),
    TE.chain(() => fs.makeDirectory(temporary)),
    TE.chain(() =>
      pipe(
        contents,
        TE.traverseSeqArray(([name, bytes]) => fs.writeFile(join(temporary, name), bytes, 'replace')),
      ),
    ),
    TE.chain(() => fs.syncDirectory(temporary)),
  )
}

/** The rename is the moment at which the checkpoint exists; a failure before it leaves no trace. */
const publish = (
  store: Store,
  step: number,
  files: ReadonlyMap<string, Uint8Array>,
): TE.TaskEither<FileSystemError, Candidate> => {
  const { fs, root, processes } = store
  const temporary = join(root, `.tmp-${padded(step)}-${processes.pid}`)
  const name = (attempt: number): string => `step-${padded(step)}${attempt === 1 ? '' : `.${attempt}`}`
  return pipe(
    writeTemporary(store, temporary, step, files),
    TE.chain(() => listCandidates(store)),
    TE.map((candidates) => 1 + Math.max(0, ...candidates.filter((c) => c.step === step).map((c) => c.attempt))),
    TE.chainFirst((attempt) => fs.rename(temporary, join(root, name(attempt)))),
    TE.orElseFirst(() => fs.remove(temporary)),
    TE.chainFirst(() => fs.syncDirectory(root)),
    TE.map((attempt) => ({ name: name(attempt), step, attempt })),
  )
}

/** Renamed first, so that a removal that is cut short leaves a `.tmp-` directory and not a damaged checkpoint. */
const discard = ({ fs, root, processes }: Store, candidate: Candidate): TE.TaskEither<FileSystemError, void> => {
  const trash = join(root, `.tmp-${candidate.name}-${processes.pid}`)
  return pipe(
    fs.remove(trash),
    TE.chain(() => fs.rename(join(root, candidate.name), trash)),
    TE.chain(() => fs.remove(trash)),
  )
}

/**
 * Everything older than the newest `keep` goes, and so do older attempts of the step just saved; what was
 * just saved, and so verified, always stays. Directories without a readable manifest do not count as kept, so that
 * damaged ones cannot displace good ones.
 */
export const retain =
  (store: Store, saved: Candidate): TE.TaskEither<FileSystemError, void> =>
  async () => {
    const candidates = await listCandidates(store)()
    if (E.isLeft(candidates)) return candidates
    let kept = 1 // the one just saved
    for (const candidate of candidates.right.filter((c) => c.name !== saved.name)) {
      if (candidate.step !== saved.step && kept < store.keep) {
        if (E.isRight(await readManifest(store, candidate)())) kept++
        continue
      }
      const removed = await discard(store, candidate)()
      if (E.isLeft(removed)) return removed
    }
    return E.right(undefined)
  }

/**
 * Removes the leftovers of processes that are dead. Failing is harmless (a read-only disk, say): nothing reads them. Only who saves
 * does it, and so holds the run's lock: to a reader in another container, or on another machine, every trainer looks dead.
 */
const sweep = async ({ fs, root, processes }: Store, names: readonly string[]): Promise<void> => {
  for (const name of names) {
    const pid = /^\.tmp-.+-(\d+)$/.exec(name)?.[1]
    if (pid !== undefined && !processes.isAlive(Number(pid))) await fs.remove(join(root, name))()
  }
}

const requireArguments = (step: number, files: ReadonlyMap<string, Uint8Array>): void => {
  if (!Number.isSafeInteger(step) || step < 0 || step >= 1e15)
    throw new RangeError(`saveCheckpoint: ${step} is not a step number`)
  for (const name of files.keys()) {
    if (!isFileName(name)) throw new RangeError(`saveCheckpoint: ${JSON.stringify(name)} is not a plain file name`)
  }
}

/**
 * Saves the files of a step, verifies them by reading them back, points `latest` to them, and then removes what is
 * too old. Before all that, `.tmp-` leftovers of dead processes are removed. One process at a time: hold the run's lock.
 *
 * @param root the directory of all checkpoints; made when it is not there, inside a directory that is
 * @param files name → bytes; plain names (letters, digits, `.`, `_`, `-`)
 * @returns the path of the checkpoint; on Left the checkpoints from before are untouched, and with `CKPT-RETAIN` the
 *   new one is there too
 * @throws RangeError for a step or a name that cannot be one
 * @example
 * ```ts
 * import { saveCheckpoint } from 'fathom/io'
 *
 * const files = new Map([['weights.bin', Uint8Array.of(1, 2, 3)]])
 * await saveCheckpoint('checkpoints', 600, files)() // => right('checkpoints/step-000600')
 * ```
 */
export const saveCheckpoint = (
  root: string,
  step: number,
  files: ReadonlyMap<string, Uint8Array>,
  options: CheckpointOptions = {},
): TE.TaskEither<CheckpointError, string> => {
  requireArguments(step, files)
  const store = openStore('saveCheckpoint', root, options)
  const failure = fromFileSystem(`step ${step} is not saved, the checkpoints before it are untouched`)
  return pipe(
    store.fs.makeDirectory(root),
    TE.chain(() => store.fs.syncDirectory(dirname(root))),
    TE.chain(() => store.fs.list(root)),
    TE.chainFirstTaskK((names) => () => sweep(store, names)), // first, for the space that the new one may need
    TE.chain(() => publish(store, step, files)),
    TE.mapLeft(failure),
    TE.chainFirst((saved) =>
      pipe(
        verify(store, saved),
        TE.mapLeft((reason) =>
          checkpointError(
            'CKPT-BAD',
            `${join(root, saved.name)} does not read back as written: ${reason}; check the disk`,
          ),
        ),
      ),
    ),
    TE.chainFirst((saved) =>
      pipe(
        replaceFile(join(root, 'latest'), new TextEncoder().encode(`${saved.name}\n`), store.fs),
        TE.mapLeft(fromFileSystem(`step ${step} is saved and verified, but latest does not name it`)),
      ),
    ),
    TE.chainFirst((saved) =>
      pipe(
        retain(store, saved),
        TE.mapLeft(({ message }) =>
          checkpointError('CKPT-RETAIN', `step ${step} is saved and verified, but an old one stays: ${message}`),
        ),
      ),
    ),
    TE.map((saved) => join(root, saved.name)),
  )
}
