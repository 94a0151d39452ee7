/**
 * Families of networks whose parameters are sealed: one type for those of all, into which nobody looks. Who trains a network gets parameters of it,
 * and gives them back to it; what they are is the network's own business.
 */
import type { Family } from './family.ts'

declare const seal: unique symbol

/** The parameters of a network that can be trained by diffusion: a tree of tensors, made by the network's `init` or read for it from a file. */
export interface DenoiserParams {
  readonly [seal]: 'the parameters of one network'
}

/**
 * A family as one among several. The compiler cannot follow that a network is given parameters that it made itself, and a family a configuration of its
 * own kind: the registry looks families up by the kind of a configuration, and its callers get parameters from nowhere else.
 */
export const sealed = <Any, C extends Any, P>(family: Family<C, P>): Family<Any, DenoiserParams> =>
  family as unknown as Family<Any, DenoiserParams>
