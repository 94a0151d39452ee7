/**
 * The one place where fp-ts enters fathom.
 *
 * Why a file of its own: `import 'fp-ts/Either'` type-checks and then throws ERR_UNSUPPORTED_DIR_IMPORT in Node's ESM
 * loader; `fp-ts/lib/Either.js` works everywhere. Everybody else imports from here.
 *
 * What every page needs (tensors, devices) keeps to `E`, and to `attempt` for what rejects: fp-ts's TaskEither is 1.3 kB compressed of which a
 * bundler can drop nothing.
 */
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'

export { pipe } from 'fp-ts/lib/function.js'
export * as TE from 'fp-ts/lib/TaskEither.js'

export { E }
export type { TaskEither }

/** A promise as a task: what it rejects with is Left, as `failureOf` says it. The same as `TE.tryCatch`. */
export const attempt =
  <L, A>(of: () => Promise<A>, failureOf: (e: unknown) => L): TaskEither<L, A> =>
  async () => {
    try {
      return E.right(await of())
    } catch (e) {
      return E.left(failureOf(e))
    }
  }
