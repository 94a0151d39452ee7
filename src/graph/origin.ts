/**
 * Where nodes come from: the user's line, the layer, and for a node of a backward pass the node whose gradient it is part of.
 *
 * Data always knows its line, which costs a few microseconds a tensor; other nodes only while somebody records. No value depends on any
 * of it: it is kept beside the graph, not in it.
 */
import { showSite, siteAbove, type Site } from '../prelude/stack.ts'
import type { Node } from './ops.ts'
import { currentScope, scopePath, type Scope } from './scope.ts'

/** Where a node comes from, not yet in words. */
export interface Origin {
  readonly site: Site
  readonly scope: Scope | undefined
  /** The node of the forward pass whose derivative this one computes. */
  readonly gradientOf: { readonly op: string; readonly origin: Origin | undefined } | undefined
}

const origins = new WeakMap<Node, Origin>()

/** How many devices want to know; and the node that is being differentiated. */
const recording: { count: number; gradientOf: Node | undefined } = { count: 0, gradientOf: undefined }

/** Starts to record where every node is made; the function that it returns stops it. */
export const recordOrigins = (): (() => void) => {
  recording.count++
  let stopped = false
  return () => {
    if (!stopped) recording.count--
    stopped = true
  }
}

/** Frames that are kept of a node: it may be made inside a model of models. */
const nodeFrames = 60

/** Frames that are kept of data: the user calls `tensor`, or `scalar`, `key` or `foldIn`, which call it. */
const dataFrames = 5

/** The primitive, or the name of what a call stands for. */
const nameOf = (node: Node): string => (node.op === 'call' ? node.attrs.definition.name : node.op)

const originAbove = (below: (...args: never[]) => unknown, frames: number): Origin => ({
  site: siteAbove(below, frames),
  scope: currentScope(),
  gradientOf:
    recording.gradientOf === undefined
      ? undefined
      : { op: nameOf(recording.gradientOf), origin: origins.get(recording.gradientOf) },
})

/** Notes where a new node is made, if somebody records. */
export const noteOrigin = (node: Node): void => {
  if (recording.count > 0) origins.set(node, originAbove(noteOrigin, nodeFrames))
}

/** Notes that a node was made in the place of another. */
export const inheritOrigin = (node: Node, from: Node): void => {
  const origin = recording.count > 0 ? origins.get(from) : undefined
  if (origin !== undefined) origins.set(node, origin)
}

/** Where data is made by the caller of `below`, which `frames` calls of the library lie above. */
export const dataOrigin = (below: (...args: never[]) => unknown, frames = dataFrames): Origin =>
  originAbove(below, frames)

/** Notes where data was made, unless it is known. */
export const noteData = (node: Node, origin: Origin): void => {
  if (!origins.has(node)) origins.set(node, origin)
}

/** `f()`, whose nodes are part of the derivative of `node`. */
export const asGradientOf = <T>(node: Node, f: () => T): T => {
  if (recording.count === 0) return f()
  const outer = recording.gradientOf
  recording.gradientOf = node
  try {
    return f()
  } finally {
    recording.gradientOf = outer
  }
}

const showOrigin = ({ site, scope, gradientOf }: Origin): string => {
  if (gradientOf !== undefined) {
    const of = gradientOf.origin === undefined ? undefined : showOrigin(gradientOf.origin)
    return `in the gradient of ${gradientOf.op}${of === undefined || of === '' ? '' : `, ${of}`}`
  }
  const line = showSite(site)
  return [
    ...(scope === undefined ? [] : [`in layer ${scopePath(scope)}`]),
    ...(line === undefined ? [] : [`made at ${line}`]),
  ].join(', ')
}

/** `in layer b0.mlp.down, made at train.ts:12:30`, or undefined where nobody noted it. */
export const originOf = (node: Node): string | undefined => {
  const origin = origins.get(node)
  const text = origin === undefined ? '' : showOrigin(origin)
  return text === '' ? undefined : text
}
