/** Taking back a checkpoint that turned out to be no good, so that the one before it is the newest. */
import { join } from 'node:path'
import { pipe, TE } from '../prelude/fp.ts'
import {
  candidatesIn,
  fromFileSystem,
  openStore,
  type CheckpointError,
  type CheckpointOptions,
} from './checkpoint.node.ts'
import { completeSave, newestCheckpoint } from './newestCheckpoint.node.ts'

/**
 * Renames the checkpoints of a step to `bad-…`, which nobody resumes from and a person may look at; the only one there is stays.
 * Only for who holds the run's lock.
 *
 * @returns whether there was one
 * @example
 * ```ts
 * import { newestCheckpoint, saveCheckpoint, withdrawCheckpoint } from 'fathom/io'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 *
 * for (const step of [1, 2]) await saveCheckpoint('checkpoints', step, new Map())()
 * await withdrawCheckpoint('checkpoints', 2)() // => right(true)
 * await pipe(
 *   newestCheckpoint('checkpoints'),
 *   TE.map(({ step }) => step),
 * )() // => right(1)
 * ```
 */
export const withdrawCheckpoint = (
  root: string,
  step: number,
  options: CheckpointOptions = {},
): TE.TaskEither<CheckpointError, boolean> => {
  const { fs } = openStore('withdrawCheckpoint', root, options)
  const setAside = (name: string) => {
    const place = join(root, name.replace('step-', 'bad-'))
    return pipe(
      fs.remove(place),
      TE.chain(() => fs.rename(join(root, name), place)),
    )
  }
  return pipe(
    fs.list(root),
    TE.map(candidatesIn),
    TE.map((all) => (all.some((c) => c.step !== step) ? all.filter((c) => c.step === step) : [])),
    TE.chainFirst(TE.traverseSeqArray(({ name }) => setAside(name))),
    TE.mapLeft(fromFileSystem(`the checkpoint of step ${step} is not set aside`)),
    TE.chain((found) =>
      found.length === 0
        ? TE.right(false)
        : pipe(
            newestCheckpoint(root, options),
            TE.chain((newest) => completeSave(root, newest, options)),
            TE.map(() => true),
          ),
    ),
  )
}
