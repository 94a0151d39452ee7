/** Reading checkpoints: the newest whose every byte is as its manifest says. Reads only: a trainer may be at work beside it. */
import { join } from 'node:path'
import { E, pipe, TE } from '../prelude/fp.ts'
import {
  candidatesIn,
  checkpointError,
  fromFileSystem,
  openStore,
  retain,
  verify,
  type Candidate,
  type CheckpointError,
  type CheckpointOptions,
  type LoadedCheckpoint,
  type SkippedCheckpoint,
  type Store,
} from './checkpoint.node.ts'
import { isMissing, type FileSystemError } from './fileSystem.ts'
import { replaceFile } from './replaceFile.node.ts'

/** How a checkpoint is looked for. */
export type ReadOptions = CheckpointOptions & {
  /** What is asked of a checkpoint beyond its sums: Left, with the reason, passes it over. */
  readonly judge?: (checkpoint: Omit<LoadedCheckpoint, 'skipped'>) => E.Either<string, unknown>
}

const nothingValid = (root: string, skipped: readonly SkippedCheckpoint[]): CheckpointError => {
  const damaged = skipped.map(({ name, reason }) => `${name}: ${reason}`).join('; ')
  return checkpointError(
    'CKPT-NONE',
    `no valid checkpoint in ${root}${damaged === '' ? '' : ` (${damaged})`}; ` +
      'restore one from a copy, or start a new run with `fathom train`',
    skipped,
  )
}

const candidatesOf = ({ fs, root }: Store): TE.TaskEither<CheckpointError, readonly Candidate[]> =>
  pipe(
    fs.list(root),
    TE.orElse((error) => (isMissing(error) ? TE.right<FileSystemError, readonly string[]>([]) : TE.left(error))),
    TE.bimap(fromFileSystem('check the permissions of the run directory'), candidatesIn),
  )

/** Whether a trainer has removed it meanwhile, as too old. */
const isGone = async ({ fs, root }: Store, { name }: Candidate): Promise<boolean> => {
  const found = await fs.list(join(root, name))()
  return E.isLeft(found) && isMissing(found.left)
}

/** The first that is valid; `gone` when some vanished while they were read, and so newer ones must be there. */
const firstValid = async (
  store: Store,
  candidates: readonly Candidate[],
  judge: NonNullable<ReadOptions['judge']>,
): Promise<{
  readonly loaded?: LoadedCheckpoint
  readonly skipped: readonly SkippedCheckpoint[]
  readonly gone: boolean
}> => {
  const skipped: SkippedCheckpoint[] = []
  let gone = false
  for (const candidate of candidates) {
    const { name, step } = candidate
    const read = await pipe(
      verify(store, candidate),
      TE.chainFirstEitherK((files) => judge({ name, step, files })),
    )()
    if (E.isRight(read)) return { loaded: { name, step, files: read.right, skipped }, skipped, gone }
    if (await isGone(store, candidate)) gone = true
    else skipped.push({ name, reason: read.left })
  }
  return { skipped, gone }
}

/** How often the list is read again because a trainer was faster. */
const attempts = 20

/**
 * The newest checkpoint whose every byte is as its manifest says. Nothing is written: damaged ones are left where they are and named in
 * `skipped`.
 *
 * @param root the directory of all checkpoints; may be read-only
 * @returns Left `CKPT-NONE` when there is no valid one (never an empty start instead), `CKPT-IO` when the directory
 *   cannot be listed
 * @example
 * ```ts
 * import { newestCheckpoint, saveCheckpoint } from 'fathom/io'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 *
 * const newest = pipe(
 *   newestCheckpoint('checkpoints'),
 *   TE.map(({ step, files }) => [step, files.get('weights.bin')] as const),
 * )
 * await newest() // => left({ code: 'CKPT-NONE', … })
 * await saveCheckpoint('checkpoints', 600, new Map([['weights.bin', Uint8Array.of(1, 2)]]))()
 * await saveCheckpoint('checkpoints', 700, new Map([['weights.bin', Uint8Array.of(3, 4)]]))()
 * await newest() // => right([700, [3, 4]])
 * ```
 */
export const newestCheckpoint =
  (root: string, options: ReadOptions = {}): TE.TaskEither<CheckpointError, LoadedCheckpoint> =>
  async () => {
    const store = openStore('newestCheckpoint', root, options, ['judge'])
    for (let attempt = 1; ; attempt++) {
      const candidates = await candidatesOf(store)()
      if (E.isLeft(candidates)) return candidates
      const { loaded, skipped, gone } = await firstValid(
        store,
        candidates.right,
        options.judge ?? (() => E.right(undefined)),
      )
      if (loaded !== undefined) return E.right(loaded)
      if (!gone || attempt === attempts) return E.left(nothingValid(root, skipped))
    }
  }

/**
 * Whether a directory holds anything that claims to be a checkpoint, valid or not.
 *
 * @example
 * ```ts
 * import { holdsCheckpoint, saveCheckpoint } from 'fathom/io'
 *
 * await holdsCheckpoint('checkpoints')() // => right(false)
 * await saveCheckpoint('checkpoints', 600, new Map())()
 * await holdsCheckpoint('checkpoints')() // => right(true)
 * ```
 */
export const holdsCheckpoint = (
  root: string,
  options: CheckpointOptions = {},
): TE.TaskEither<CheckpointError, boolean> =>
  pipe(
    candidatesOf(openStore('holdsCheckpoint', root, options)),
    TE.map((candidates) => candidates.length > 0),
  )

/**
 * Does what a save that was cut short has left undone: `latest` names the newest valid checkpoint, what is too old is gone. Only for
 * who holds the run's lock.
 *
 * @param newest what {@link newestCheckpoint} found
 * @example
 * ```ts
 * import { readFile, writeFile } from 'node:fs/promises'
 * import { completeSave, saveCheckpoint } from 'fathom/io'
 *
 * await saveCheckpoint('checkpoints', 600, new Map())()
 * await writeFile('checkpoints/latest', 'step-000500')
 * await completeSave('checkpoints', { name: 'step-000600', step: 600 })() // => right(undefined)
 * await readFile('checkpoints/latest', 'utf8') // => 'step-000600\n'
 * ```
 */
export const completeSave = (
  root: string,
  { name, step }: Pick<LoadedCheckpoint, 'name' | 'step'>,
  options: CheckpointOptions = {},
): TE.TaskEither<CheckpointError, void> => {
  const store = openStore('completeSave', root, options)
  const text = new TextEncoder().encode(`${name}\n`)
  return pipe(
    store.fs.readFile(join(root, 'latest')),
    TE.match(
      () => false,
      (found) => new TextDecoder().decode(found) === `${name}\n`,
    ),
    TE.fromTask<boolean, FileSystemError>,
    TE.chain((right) => (right ? TE.right(undefined) : replaceFile(join(root, 'latest'), text, store.fs))),
    TE.chain(() => retain(store, { name, step, attempt: 1 })),
    TE.mapLeft(fromFileSystem('the newest checkpoint is valid, but older ones could not be put in order')),
  )
}
