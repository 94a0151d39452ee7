/** Why kernels end where they do: recorded as data by the passes, and made words only where people read it. */
import type { OpName } from '../graph/ops.ts'

/** Why the values of one node go to memory. */
export type Cause =
  | 'output'
  | 'reduction'
  | 'several users'
  | 'view'
  | 'not fused'
  | 'half'
  | 'reshape'
  | 'literal'
  | 'indexed'
  | 'contraction'
  | 'convolution'
  | 'windows'
  | 'gather'
  | 'scatter'
  | 'sort'
  | 'cumsum'
  | 'loop'
  | 'no aliases'
  | { readonly kind: 'feeds'; readonly op: OpName }
  | { readonly kind: 'too wide'; readonly buffers: number; readonly memories: number }
  | { readonly kind: 'too long'; readonly operations: number }

/** Why a kernel ends where it does: one cause, or of a joined kernel those of all its results. */
export type Reason = Cause | { readonly kind: 'joined'; readonly causes: readonly Cause[] }

type Named = Extract<Cause, string>

const words: { readonly [K in Named]: string } = {
  output: 'output',
  reduction: 'a reduction ends a kernel',
  'several users': 'several values need it',
  view: 'a view of it is used',
  'not fused': 'fusion is switched off',
  half: 'several values need it, and each widens it',
  reshape: 'the strides do not allow this reshape',
  literal: 'a literal that a kernel reads from memory',
  indexed: 'an indexed kernel reads it in order',
  contraction: 'a contraction is its own kernel',
  convolution: 'a convolution is its own kernel',
  windows: 'parts are written into windows',
  gather: 'reads where an index says',
  scatter: 'writes where an index says',
  sort: 'a sort is its own kernel',
  cumsum: 'running sums are their own kernel',
  loop: 'a loop runs its body turn by turn',
  'no aliases': 'outputs are never aliases',
}

const causesOf = (reason: Reason): readonly Cause[] =>
  typeof reason === 'object' && reason.kind === 'joined' ? reason.causes : [reason]

const isSame = (a: Cause, b: Cause): boolean => {
  if (typeof a === 'string' || typeof b === 'string') return a === b
  switch (a.kind) {
    case 'feeds':
      return b.kind === a.kind && a.op === b.op
    case 'too wide':
      return b.kind === a.kind && a.buffers === b.buffers && a.memories === b.memories
    case 'too long':
      return b.kind === a.kind && a.operations === b.operations
  }
}

/** The reasons of kernels that become one: each cause once, in their order. */
export const joinReasons = (reasons: readonly Reason[]): Reason => {
  const causes = reasons.flatMap(causesOf)
  const distinct = causes.filter((cause, i) => causes.findIndex((other) => isSame(other, cause)) === i)
  const [only] = distinct
  return only !== undefined && distinct.length === 1 ? only : { kind: 'joined', causes: distinct }
}

const showCause = (cause: Cause): string => {
  if (typeof cause === 'string') return words[cause]
  switch (cause.kind) {
    case 'feeds':
      return `feeds ${cause.op}`
    case 'too wide':
      return cause.memories === Infinity
        ? `the kernel would read more than ${cause.buffers - 1} buffers`
        : `the kernel would touch more than ${cause.buffers} buffers or ${cause.memories} memories`
    case 'too long':
      return `the kernel would be more than ${cause.operations} operations`
  }
}

/** The reason in words. */
export const showReason = (reason: Reason): string => causesOf(reason).map(showCause).join(', ')
