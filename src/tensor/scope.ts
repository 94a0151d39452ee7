/** Giving memory back by hand, for those who want certainty: at once, or at the end of a scope. */
/// <reference lib="esnext.disposable" preserve="true" />
import type { NodeOf } from '../graph/ops.ts'
import { reachable } from '../graph/traverse.ts'
import { isBuffer } from './realize.ts'
import { giveBack, Storage, type Holding, type Session } from './session.ts'
import { leaves } from './tree.ts'

/** A stretch of a program whose tensors on the device are given back when it ends. Scopes may be nested, not overlap. */
export interface Scope extends Disposable {
  /** The tensors of the tree outlive the scope; they belong to the one around it, if there is one. */
  readonly keep: <T>(tree: T) => T
  /** Ends the scope. Nothing happens when it has ended already. */
  readonly end: () => void
}

/** The storages that tensors of the tree need, lazy ones included. */
const holdingsOf = (session: Session, tree: unknown): readonly Holding[] =>
  reachable(leaves(tree).map((x) => x.node))
    .filter(isBuffer)
    .flatMap(({ attrs: { source } }: NodeOf<'buffer'>) =>
      source.kind === 'device' && source.storage instanceof Storage && source.storage.owner === session
        ? [source.storage.holding]
        : [],
    )

/** Gives the memory of the tree's tensors back at once. */
export const releaseTree = (session: Session, tree: unknown): void => {
  for (const x of leaves(tree)) {
    if (!isBuffer(x.node)) continue
    const { source } = x.node.attrs
    const holding = source.kind === 'host' ? session.uploads.of.get(x.node)?.holding : holdingsOf(session, x)[0]
    if (holding !== undefined)
      giveBack(session, holding, { kind: source.kind === 'host' ? 'behind the call' : 'released' })
  }
}

/** Opens a scope inside the innermost one that is open. */
const openScope = (session: Session): Scope => {
  const { scopes } = session
  const made = new Set<Holding>()
  scopes.push(made)
  const keep = <T>(tree: T): T => {
    const around = scopes[scopes.indexOf(made) - 1]
    for (const holding of holdingsOf(session, tree)) if (made.delete(holding)) around?.add(holding)
    return tree
  }
  const end = (): void => {
    const place = scopes.indexOf(made)
    if (place < 0) return
    const isInnermost = place === scopes.length - 1
    scopes.splice(place, 1)
    for (const holding of made) giveBack(session, holding, { kind: 'scoped' })
    if (!isInnermost)
      throw new Error(
        'scope: one that was opened later is still open: scopes of a device must end in the order opposite to that in which they were opened; await the inner one first',
      )
  }
  return { keep, end, [Symbol.dispose]: end }
}

/** Opens a scope, or runs `body` in one. */
export interface Scoping {
  (): Scope
  <R>(body: (scope: Scope) => R): Promise<Awaited<R>>
}

/** What `scope` of a device is. */
export const scopeOf = (session: Session): Scoping => {
  function scope(): Scope
  function scope<R>(body: (scope: Scope) => R): Promise<Awaited<R>>
  function scope<R>(body?: (scope: Scope) => R): Scope | Promise<Awaited<R>> {
    return body === undefined ? openScope(session) : inScope(session, body)
  }
  return scope
}

/** Ends a scope whose body has failed: that error is the one to be seen. */
const endQuietly = (scope: Scope): void => {
  try {
    scope.end()
  } catch {
    // that scopes overlap follows from the failure, or will be said by the others
  }
}

/** Runs `body` in a scope; what it returns is kept. */
const inScope = async <R>(session: Session, body: (scope: Scope) => R): Promise<Awaited<R>> => {
  const scope = openScope(session)
  try {
    return scope.keep(await body(scope))
  } catch (e) {
    endQuietly(scope)
    throw e
  } finally {
    scope.end()
  }
}
