/** Activations: what layers and modules give to one another. Where the policy of the program says so, they are stored as halves. */
import { roundedActivation, roundsActivations } from '../tensor/withPrecision.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { leaves, mapTree } from '../tensor/tree.ts'

/**
 * What a layer gives on, a tree: the same, or where activations are halves, its f32 leaves rounded to them.
 *
 * @param decided leaves that stay as they are
 */
export const asActivation = <T>(tree: T, decided: ReadonlySet<Tensor> = new Set()): T =>
  roundsActivations() ? mapTree(tree, (x) => (decided.has(x) ? x : roundedActivation(x))) : tree

/** The tree, whose leaves are noted where activations are halves. */
export const noteActivations = <T>(tree: T, decided: Set<Tensor>): T => {
  if (roundsActivations()) for (const x of leaves(tree)) decided.add(x)
  return tree
}
