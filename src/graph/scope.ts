/**
 * Which layer is being applied: the one piece of state of building a graph, so that an error and a node can say `b0.mlp.down`.
 *
 * It is set for the time of one synchronous call, and no value depends on it.
 */
import { deepStack } from '../prelude/stack.ts'

/** A layer, inside others. */
export interface Scope {
  readonly name: string
  readonly outer: Scope | undefined
}

const current: { scope: Scope | undefined } = { scope: undefined }

/** The layer that is being applied now. */
export const currentScope = (): Scope | undefined => current.scope

/** `b0.mlp.down`: names from the outermost to the innermost. */
export const scopePath = (scope: Scope): string =>
  scope.outer === undefined ? scope.name : `${scopePath(scope.outer)}.${scope.name}`

const located = new WeakSet<Error>()

/** Errors that say what did not fit; others, which the user throws, are the user's to word. */
const namesAMistake = (e: unknown): e is Error =>
  e instanceof Error && /^(?:ShapeError|DTypeError|TraceError|TypeError|RangeError)$/.test(e.name)

/** Writes the layer in front of the message, once: the innermost layer is the first to see the error. */
const locate = (e: unknown, scope: Scope): void => {
  if (!namesAMistake(e) || located.has(e)) return
  located.add(e)
  const [before, { stack }] = [e.message, e]
  e.message = `${scopePath(scope)}: ${before}`
  if (stack !== undefined) e.stack = stack.replace(before, () => e.message)
}

/** `f()` as a part of the layer `name`: errors name the layer, and keep enough frames to reach the line that applied the model. */
export const inScope = <T>(name: string, f: () => T): T => {
  const { scope: outer } = current
  const scope = { name, outer }
  current.scope = scope
  try {
    return deepStack(f)
  } catch (e) {
    locate(e, scope)
    throw e
  } finally {
    current.scope = outer
  }
}
