/** What must be done whatever happens. */
import type { TE } from '../prelude/fp.ts'

/** The task, after which `finalizer` runs: whether it succeeded, failed, or threw. */
export const ensuring =
  (finalizer: () => Promise<unknown>) =>
  <E, A>(task: TE.TaskEither<E, A>): TE.TaskEither<E, A> =>
  async () => {
    try {
      return await task()
    } finally {
      await finalizer()
    }
  }
