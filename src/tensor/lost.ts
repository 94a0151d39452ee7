/** Devices that can be lost while they are open, as a GPU when its driver is reset: whoever waits for one is told, and what was lost. */
import { DeviceLost } from '../prelude/errors.ts'
import { macrotask } from './collector.ts'
import type { Session } from './session.ts'

/** The error of what is gone. @param what was lost, in words */
const lostWith = ({ backend, lost }: Session, what: string): DeviceLost =>
  new DeviceLost(
    `${what} was lost${what.startsWith('the device ') ? '' : ` with the device '${backend.name}'`}: ${lost ?? 'unknown'}. Open the device again, and go on from what was read or saved before`,
  )

/** From now on the session knows when its device is lost. */
export const watchLoss = async (session: Session): Promise<void> => {
  if (session.backend.lost === undefined) return
  session.lost = await session.backend.lost
  for (const tell of session.waiting) tell()
}

/** Throws when the device was lost. */
export const requireThere = (session: Session): void => {
  if (session.lost !== undefined) throw lostWith(session, `the device '${session.backend.name}'`)
}

/**
 * What the backend promises, or a DeviceLost when the device is lost meanwhile.
 *
 * @param what is waited for, in words
 */
export const orLost = async <T>(session: Session, promise: Promise<T>, what: string): Promise<T> => {
  if (session.backend.lost === undefined) return promise
  const { waiting } = session
  let tell = (): void => undefined
  const loss = new Promise<never>((_, reject) => {
    tell = () => {
      reject(lostWith(session, what))
    }
  })
  waiting.add(tell) // not on the promise of the loss, which would keep all that ever waited
  try {
    return await Promise.race([promise, loss])
  } catch (e) {
    await macrotask() // the reason may come behind the rejection
    throw session.lost === undefined ? e : lostWith(session, what)
  } finally {
    waiting.delete(tell)
  }
}
