/**
 * How the gradients of the parts of a step become one. A step is `apply ∘ reduce ∘ gradients`; where it is one part on one machine, `reduce` is
 * the identity, and the whole step one plan.
 *
 * Gradients are of a mean loss. So each part adds its own, divided by the number of all parts, and what comes out is the sum: over the
 * micro-batches of this process, one after the other, and over the ranks, if there are several.
 */
import { requireWhole } from '../prelude/options.ts'
import { zeros } from '../tensor/create.ts'
import { accumulate, emptyAccumulation } from '../optim/index.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { zipTrees } from '../tensor/tree.ts'
import type { ModelState } from '../nn/stateScope.ts'
import { addState, emptyState, givesState, learnedOf, stateIn } from './stateBranch.ts'

/** The mean loss of some examples, and its gradients. */
export interface Gradients<P> {
  readonly gradients: P
  readonly loss: Tensor
  /** Losses that are told beside it, each the mean of its examples; absent where there are none. */
  readonly parts?: Readonly<Record<string, Tensor>>
  /** The next state of the model: of one part, or the mean of those of several, in f32; absent where it has none. */
  readonly state?: ModelState
}

/** Which parts of a step are computed here, and what comes of them. */
export interface Reduce {
  /** Parts that are computed here, one after the other. */
  readonly parts: number
  /** Parts of the step that lie before them, on other ranks. */
  readonly before: number
  /** All parts of the step, here and on other ranks. */
  readonly of: number
  /** From the sum over the parts here to the sum over all; absent where all are here. Every rank calls it once a step. */
  readonly gather?: <P>(sum: Gradients<P>) => Promise<Gradients<P>>
}

/** Several ranks, of which this process is one. */
export interface Ranks {
  /** The number of this one, from 0. */
  readonly rank: number
  readonly ranks: number
  /** The sum over all ranks of what each gives. */
  readonly sum: <P>(own: Gradients<P>) => Promise<Gradients<P>>
}

/**
 * A step of `count` micro-batches, all computed here.
 *
 * @example
 * ```ts
 * import { overMicroBatches } from 'fathom/train'
 *
 * overMicroBatches(3) // => { parts: 3, before: 0, of: 3 }
 * ```
 */
export const overMicroBatches = (count: number): Reduce => {
  requireWhole('overMicroBatches', 'count', count, 1)
  return { parts: count, before: 0, of: count }
}

/**
 * A step that several ranks share: each computes as many micro-batches, of examples and random numbers of its own.
 *
 * @example
 * ```ts
 * import { overMicroBatches, overRanks } from 'fathom/train'
 *
 * const second = { rank: 1, ranks: 4, sum: async <P>(own: P) => own } // of four, were there others to add to
 * overRanks(second, overMicroBatches(3)) // => { parts: 3, before: 3, of: 12, … }
 * ```
 */
export const overRanks = ({ rank, ranks, sum }: Ranks, { parts, of }: Reduce): Reduce => {
  requireWhole('overRanks', 'ranks', ranks, 1)
  requireWhole('overRanks', 'rank', rank)
  if (rank >= ranks) throw new RangeError(`overRanks: rank ${rank} is none of ${ranks}, which are counted from 0`)
  return { parts, before: rank * of, of: ranks * of, gather: sum }
}

/** Whether a step is one part, which nothing is added to. */
export const isIdentity = ({ of, gather }: Reduce): boolean => of === 1 && gather === undefined

/** The sum before the first part. @param loss of the task @param parts names of what is told beside the loss */
export const noGradients = <P>(params: P, loss: unknown, parts: readonly string[] = []): Gradients<P> => ({
  gradients: emptyAccumulation(learnedOf(params, loss)),
  ...(givesState(loss) && { state: emptyState(stateIn(params)) }),
  loss: zeros([]),
  ...(parts.length > 0 && { parts: Object.fromEntries(parts.map((name) => [name, zeros([])])) }),
})

/** The sum with one of `of` parts added. */
export const addGradients = <P>(sum: Gradients<P>, part: Gradients<P>, of: number): Gradients<P> => ({
  gradients: accumulate(sum.gradients, part.gradients, of),
  loss: sum.loss.add(part.loss.mul(1 / of)),
  ...(sum.state !== undefined && { state: addState(sum.state, part.state ?? {}, of) }),
  ...(sum.parts !== undefined && {
    parts: zipTrees(sum.parts, part.parts ?? {}, (a, b) => a.add(b.mul(1 / of)), {
      operation: 'addGradients',
      first: 'the sum',
      second: 'the part',
    }),
  }),
})
