/** Devices that can be lost while they are open, as a GPU when its driver is reset: whoever waits for one is told, and what was lost. */
import { DeviceLost } from '../prelude/errors.ts'
import { macrotask } from './collector.ts'
import type { Session } from './session.ts'

/** The error of what is gone. @param what was lost with the device, in words */
const lostError = ({ backend: { name }, lost = 'nobody knows why' }: Session, what?: string): DeviceLost => {
  const gone = what === undefined ? `the device '${name}' was lost` : `${what} was lost with the device '${name}'`
  return new DeviceLost(`${gone}: ${lost}. Open the device again, and go on from what was read or saved before`, lost)
}

/** The error of whoever waits for a device that is closed meanwhile. */
const closedError = ({ backend: { name } }: Session): Error =>
  new Error(
    `the device '${name}' was closed while something was being computed or read: close it when all of that is done`,
  )

/** From now on the session knows when its device is lost. */
export const watchLoss = async (session: Session): Promise<void> => {
  if (session.backend.lost === undefined) return
  session.lost = await session.backend.lost.catch(String)
  for (const tell of session.waiting) tell()
}

/** Throws when the device was lost. */
export const requireThere = (session: Session): void => {
  if (session.lost !== undefined) throw lostError(session)
}

/**
 * What the device's work failed with: the loss of the device, if it was lost. Work fails in words of its own when what it needs is gone, and the
 * reason comes behind that.
 *
 * @param what was lost with the device, in words
 */
export const lossOr = async (session: Session, error: unknown, what?: string): Promise<unknown> => {
  if (session.backend.lost === undefined || error instanceof DeviceLost) return error
  await macrotask()
  if (session.lost === undefined) return error
  return session.isClosed ? closedError(session) : lostError(session, what)
}

/**
 * What the backend promises, or a DeviceLost when the device is lost meanwhile.
 *
 * @param what is waited for, in words
 */
export const orLost = async <T>(session: Session, promise: Promise<T>, what: string): Promise<T> => {
  if (session.backend.lost === undefined) return promise
  if (session.lost !== undefined) {
    promise.catch(() => undefined) // nobody waits for it
    throw lostError(session, what)
  }
  const { waiting } = session
  let tell = (): void => undefined
  const loss = new Promise<never>((_, reject) => {
    tell = () => {
      reject(session.isClosed ? closedError(session) : lostError(session, what))
    }
  })
  waiting.add(tell) // not on the promise of the loss, which would keep all that ever waited
  try {
    return await Promise.race([promise, loss])
  } catch (e) {
    throw await lossOr(session, e, what)
  } finally {
    waiting.delete(tell)
  }
}
