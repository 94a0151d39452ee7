/**
 * What a device knows while it is open: which memory it has handed out, and for what.
 *
 * Every range of memory that it holds is in a ledger until it is given back: behind the call that it was brought for, by a donation, by `release`,
 * at the end of a scope, or when the collector has found that no tensor reaches it any more.
 */
import { UseAfterDonate, UseAfterRelease } from '../prelude/errors.ts'
import type { Node } from '../graph/ops.ts'
import type { CompileOptions } from '../compiler/compile.ts'
import type { Passes } from '../compiler/passes.ts'
import type { Plan } from '../compiler/plan.ts'
import type { Backend, Executable, Memory } from '../backends/backend.ts'

/** Why memory cannot be used any more. */
export type End =
  | { readonly kind: 'donated'; readonly as: string }
  | { readonly kind: 'released' }
  | { readonly kind: 'scoped' }
  | { readonly kind: 'behind the call' }

/** Memory that is held for one storage. */
export interface Holding {
  readonly memory: Memory
  /** What is in it, and who made it, in words: `f32[2,3] of the compiled function 'step'`. */
  readonly label: string
  /** Undefined while it can be used. */
  end: End | undefined
}

/** Values that a device keeps: the state of a leaf. */
export class Storage {
  readonly owner: object
  readonly holding: Holding

  constructor(owner: object, holding: Holding) {
    this.owner = owner
    this.holding = holding
  }
}

/** A plan made ready. */
export interface Ready {
  readonly plan: Plan
  readonly executable: Executable
  /** While its code is being compiled: nothing can run it yet. */
  pending: Promise<void> | undefined
  /** Bytes of each output, and what it is and who makes it, in words. */
  readonly bytes: readonly number[]
  readonly labels: readonly string[]
}

/** Thrown where work needs a plan whose code is being compiled: the work has had no effect, and begins again when `compiled` has settled. */
export class PlanPending extends Error {
  readonly compiled: Promise<void>

  constructor(compiled: Promise<void>) {
    super('the code of a plan is being compiled')
    this.compiled = compiled
  }
}

/** Throws while the code of a plan is being compiled. */
export const requireCompiled = ({ pending }: Ready): void => {
  if (pending !== undefined) throw new PlanPending(pending)
}

/** A device while it is open. */
export interface Session {
  readonly backend: Backend
  readonly passes: Passes
  /** Says what people should know though nothing fails. */
  readonly warn: (message: string) => void
  /** What is held: the ledger. */
  readonly held: Set<Holding>
  /** Bytes of what is held, and at how many bytes, or holdings, the collector is let run. */
  readonly bytes: { held: number; enough: number; manyHoldings: number }
  /** Gives memory back when no tensor can reach its storage any more. */
  readonly forgotten: FinalizationRegistry<Holding>
  /** Gives back the plans of compiled functions that nothing refers to any more. */
  readonly dropped: FinalizationRegistry<() => void>
  /** Values of the host that are kept here as well, for a leaf is used again and again; they can be brought again, and go first. */
  readonly uploads: { readonly of: WeakMap<Node, Storage>; readonly kept: Set<Holding>; readonly seen: WeakSet<Node> }
  /** What open scopes have made, the innermost last. */
  readonly scopes: Set<Holding>[]
  readonly realizations: Map<string, Ready>
  /** Whoever comes while memory is short waits behind this. */
  relief: Promise<unknown> | undefined
  /** When a macrotask was last let run, in milliseconds. */
  lastMacrotask: number
  isClosed: boolean
  /** Why the device was lost. */
  lost: string | undefined
  /** Whoever waits for the device, and must know when it is lost. */
  readonly waiting: Set<() => void>
}

/** Bytes that may be held beside what is live before the collector is let run: a collection takes 10 to 20 ms. */
export const headroom = 512 * 2 ** 20

/**
 * Holdings that may come beside those that are live: small results, as a loss a step, are objects of JavaScript that are kept until the collector
 * tells that their tensors are gone, and an engine that sees all of them survive collects ever less often.
 */
export const headcount = 20_000

/** A session over a backend. */
export const openSession = (backend: Backend, passes: Passes, warn: (message: string) => void): Session => {
  const session: Session = {
    backend,
    passes,
    warn,
    held: new Set(),
    bytes: { held: 0, enough: headroom, manyHoldings: headcount },
    forgotten: new FinalizationRegistry((holding) => {
      if (holding.end === undefined && !session.isClosed) giveBack(session, holding, { kind: 'released' })
    }),
    dropped: new FinalizationRegistry((release) => {
      if (!session.isClosed && session.lost === undefined) release()
    }),
    uploads: { of: new WeakMap(), kept: new Set(), seen: new WeakSet() },
    scopes: [],
    realizations: new Map(),
    relief: undefined,
    lastMacrotask: performance.now(),
    isClosed: false,
    lost: undefined,
    waiting: new Set(),
  }
  return session
}

/** A storage of memory that nothing else holds. */
export const hold = (session: Session, memory: Memory, label: string): Storage => {
  const holding: Holding = { memory, label, end: undefined }
  const storage = new Storage(session, holding)
  session.held.add(holding)
  session.bytes.held += memory.bytes
  return storage
}

/** From now on the storage lasts as long as something refers to it. */
export const untilForgotten = (session: Session, storage: Storage): void => {
  session.forgotten.register(storage, storage.holding, storage.holding)
}

/** Memory passes into other hands: the storage ends, its memory does not. */
export const passOn = (session: Session, holding: Holding, end: End): void => {
  if (!session.held.delete(holding)) return
  holding.end = end
  session.bytes.held -= holding.memory.bytes
  session.uploads.kept.delete(holding)
  session.forgotten.unregister(holding)
  for (const made of session.scopes) made.delete(holding)
}

/** Gives memory back to be allocated again. */
export const giveBack = (session: Session, holding: Holding, end: End): void => {
  if (!session.held.has(holding)) return
  passOn(session, holding, end)
  if (session.lost === undefined) session.backend.release(holding.memory) // with a lost device it is gone already
}

/** Throws when memory cannot be used any more. @param name what is to be used, in words */
export const requireHeld = ({ end }: Holding, name: string): void => {
  switch (end?.kind) {
    case undefined:
      return
    case 'donated':
      throw new UseAfterDonate(
        `${name} was donated as '${end.as}' to a compiled function; use the value that the function returned`,
      )
    case 'scoped':
      throw new UseAfterRelease(
        `${name} was made in a scope that has ended; return it from the scope, or keep it with scope.keep()`,
      )
    case 'released':
    case 'behind the call':
      throw new UseAfterRelease(`${name} was released; release a tensor when nothing needs its values any more`)
  }
}

/** How graphs are compiled for this device. */
export const optionsOf = ({ passes, backend: { limits, dtypes } }: Session): CompileOptions => ({
  passes,
  limits,
  dtypes,
})
