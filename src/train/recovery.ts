/**
 * Going on by itself where the device of a run is lost: a GPU is lost when the machine sleeps or the driver is reset, and is there again a moment
 * later. A device that is lost again and again is another matter, and is said.
 */
import { E, pipe, TE } from '../prelude/fp.ts'
import type { TrainEvent } from './events.ts'
import { openDevice } from './openDevice.ts'
import type { TrainError } from './trainError.ts'

/** Losses within an hour that a run goes on from. */
const mostLosses = 3

const hour = 3_600_000

/** What going on asks of the surroundings. */
export interface Surroundings {
  readonly open: typeof openDevice
  /** Milliseconds by the clock on the wall, which goes on while the machine sleeps. */
  readonly now: () => number
  /** Waits so many milliseconds, or until the signal. */
  readonly pause: (milliseconds: number, signal?: AbortSignal) => Promise<void>
}

const pause: Surroundings['pause'] = (milliseconds, signal) =>
  new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    if (signal?.aborted === true) end()
    else signal?.addEventListener('abort', end)
  })

/** The surroundings that there are. */
export const realSurroundings: Surroundings = { open: openDevice, now: Date.now, pause }

/** Milliseconds before the device is opened again: a driver that was reset is not back at once. @param times losses within the hour */
export const pauseBefore = (times: number): number => 1000 * 5 ** (times - 1)

/** Work that can be done again from what is saved. */
export interface Recovery<S, A> {
  readonly surroundings: Pick<Surroundings, 'now' | 'pause'>
  readonly emit: (event: TrainEvent) => void
  readonly signal?: AbortSignal | undefined
  /** What is done, on a device that is opened for it. @param from undefined where it begins */
  readonly attempt: (from: S | undefined) => TE.TaskEither<TrainError, A>
  /** What it begins with. */
  readonly first: S | undefined
  /** What it can go on from; undefined where nothing is saved yet. */
  readonly saved: TE.TaskEither<TrainError, S | undefined>
  readonly stepOf: (from: S) => number
  /** What it comes to where it was told to stop when the device was lost. */
  readonly stopped: (from: S) => A
  /** The error of one loss more than it goes on from. */
  readonly givenUp: (error: TrainError, times: number) => TrainError
}

/** Whether the device is the reason. A device that cannot be opened is a loss only if it was there before. */
const isLoss = ({ code }: TrainError, losses: readonly number[]): boolean =>
  code === 'DEVICE-LOST' || (code === 'DEVICE' && losses.length > 0)

/** Tells of the loss, and waits until the device may be there again. @returns what is gone on from */
const afterLoss =
  <S, A>({ surroundings, emit, signal, saved, stepOf }: Recovery<S, A>) =>
  ({ message, reason = message }: TrainError, times: number): TE.TaskEither<TrainError, S | undefined> =>
    pipe(
      saved,
      TE.chainFirst((from) =>
        TE.fromTask(async () => {
          emit({ _tag: 'DeviceLost', reason, step: from === undefined ? 0 : stepOf(from), times, most: mostLosses })
          if (signal?.aborted !== true) await surroundings.pause(pauseBefore(times), signal)
        }),
      ),
    )

/** Does the work, and again from what is saved where the device is lost. */
export const recovering =
  <S, A>(recovery: Recovery<S, A>): TE.TaskEither<TrainError, A> =>
  async () => {
    const { surroundings, signal, attempt, stopped, givenUp } = recovery
    let from = recovery.first
    let losses: readonly number[] = []
    for (;;) {
      const result = await attempt(from)()
      if (E.isRight(result) || !isLoss(result.left, losses)) return result
      const now = surroundings.now()
      losses = [...losses.filter((then) => now - then < hour), now]
      if (losses.length > mostLosses) return E.left(givenUp(result.left, losses.length))
      const found = await afterLoss(recovery)(result.left, losses.length)()
      if (E.isLeft(found)) return found
      from = found.right
      if (signal?.aborted === true && from !== undefined) return E.right(stopped(from))
    }
  }
