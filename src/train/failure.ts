/** TaskEithers inside a loop: a Left leaves the loop as an exception and becomes a Left again at its edge. */
import { E, type TE } from '../prelude/fp.ts'
import type { TrainError } from './trainError.ts'

/** Carries a {@link TrainError} out of a loop. */
class Failure extends Error {
  readonly reason: TrainError

  constructor(reason: TrainError) {
    super(reason.message)
    this.reason = reason
  }
}

/** Leaves the loop. */
export const fail = (reason: TrainError): never => {
  throw new Failure(reason)
}

/** The value, or out of the loop. */
export const need = async <A>(task: TE.TaskEither<TrainError, A>): Promise<A> => {
  const result = await task()
  return E.isLeft(result) ? fail(result.left) : result.right
}

/** The edge: runs a loop that uses {@link need}. Exceptions that are bugs stay exceptions. */
export const guarded =
  <A>(run: () => Promise<A>): TE.TaskEither<TrainError, A> =>
  async () => {
    try {
      return E.right(await run())
    } catch (error) {
      if (error instanceof Failure) return E.left(error.reason)
      throw error
    }
  }
