/**
 * The order of a device's work, and when others have their turn. Work begins when it is asked for; only when memory is short does it wait until
 * the collector has been let run, or for code that is being compiled, and then what comes later waits behind it. A long loop of awaited calls lets
 * timers run.
 */
import { OutOfMemory } from '../prelude/errors.ts'
import { collectGarbage, macrotask } from './collector.ts'
import { lossOr, requireThere } from './lost.ts'
import { headcount, headroom, PlanPending, type Holding, type Session } from './session.ts'
import { evictUploads } from './storage.ts'

/** Milliseconds that a loop of awaited calls goes on without a macrotask. One takes microseconds. */
const longest = 5

/** Lets the collector find what nothing refers to, until a part of it has come back. */
const relieve = async (session: Session): Promise<void> => {
  const { bytes } = session
  evictUploads(session)
  const before = session.held.size
  await collectGarbage(() => session.held.size < before)
  bytes.enough = bytes.held + Math.max(headroom, bytes.held / 2)
  bytes.manyHoldings = session.held.size + Math.max(headcount, session.held.size / 2)
  session.lastMacrotask = performance.now()
}

const hasMuch = ({ bytes, held }: Session): boolean => bytes.held > bytes.enough || held.size > bytes.manyHoldings

/** Makes whoever comes later wait until `work` has ended. */
const meanwhile = async <R>(session: Session, work: () => Promise<R>): Promise<R> => {
  const relief = work()
  const settled = relief.catch(() => undefined)
  session.relief = settled
  try {
    return await relief
  } finally {
    if (session.relief === settled) session.relief = undefined
  }
}

const showMebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(bytes < 2 ** 24 ? 1 : 0)} MiB`

/** What is held, the largest first: `3 × f32[2,3] of the compiled function 'step' (12 MiB)`. */
const census = (held: ReadonlySet<Holding>): string => {
  const groups = new Map<string, { count: number; bytes: number }>()
  for (const { label, memory } of held) {
    const group = groups.get(label) ?? { count: 0, bytes: 0 }
    groups.set(label, { count: group.count + 1, bytes: group.bytes + memory.bytes })
  }
  const largest = [...groups].toSorted(([, a], [, b]) => b.bytes - a.bytes)
  const shown = largest.slice(0, 4).map(([label, { count, bytes }]) => `${count} × ${label} (${showMebibytes(bytes)})`)
  return largest.length > 4 ? `${shown.join(', ')}, and others` : shown.join(', ')
}

/** The error of memory that is short although nothing is left to collect. */
const short = ({ bytes, held }: Session, { message, reason }: OutOfMemory): OutOfMemory =>
  new OutOfMemory(
    bytes.held === 0
      ? message
      : `${message}. Tensors that something still refers to hold ${showMebibytes(bytes.held)}: ${census(held)}. Donate a state to the function that replaces it, release what is not needed with device.release, or open a device.scope`,
    reason,
  )

/**
 * Does the device's work, at once unless memory is short or the code of its plan is being compiled.
 *
 * @throws OutOfMemory when nothing that was collected helps; DeviceLost when it fails because the device is lost
 */
export const inTurn = async <R>(session: Session, work: () => R | Promise<R>): Promise<R> => {
  while (session.relief !== undefined) await session.relief
  requireOpen(session)
  const result = await attempt(session, work)
  if (hasMuch(session)) await meanwhile(session, () => relieve(session))
  else if (performance.now() - session.lastMacrotask > longest) {
    await macrotask()
    session.lastMacrotask = performance.now()
  }
  return result
}

const attempt = async <R>(session: Session, work: () => R | Promise<R>): Promise<R> => {
  try {
    return await work()
  } catch (e) {
    try {
      return await again(session, work, e)
    } catch (last) {
      throw await lossOr(session, last)
    }
  }
}

/** Does work once more that has failed, where there is a reason to: its plan is compiled then, or memory is collected. */
const again = async <R>(session: Session, work: () => R | Promise<R>, failure: unknown): Promise<R> => {
  if (failure instanceof PlanPending)
    return meanwhile(session, async () => {
      await failure.compiled
      requireOpen(session)
      return attempt(session, work)
    })
  if (!(failure instanceof OutOfMemory)) throw failure
  return meanwhile(session, async () => {
    await relieve(session)
    try {
      requireOpen(session) // it may have been closed, or lost, meanwhile
      return await work()
    } catch (e) {
      if (e instanceof PlanPending) {
        await e.compiled
        requireOpen(session)
        return attempt(session, work)
      }
      throw e instanceof OutOfMemory ? short(session, e) : e
    }
  })
}

/** Does work when the code of all plans that it needs is compiled; others need not wait for it. */
export const whenCompiled = async <R>(session: Session, work: () => R): Promise<R> => {
  try {
    return work()
  } catch (e) {
    if (!(e instanceof PlanPending)) throw e
    await e.compiled
    requireOpen(session)
    return whenCompiled(session, work)
  }
}

/** Throws when the device is closed, or lost. */
export const requireOpen = (session: Session): void => {
  const { isClosed, backend } = session
  if (isClosed)
    throw new Error(`the device '${backend.name}' is closed: open another, and read what is to be kept before closing`)
  requireThere(session)
}
