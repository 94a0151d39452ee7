/** Activations: what layers and modules give to one another. Where the policy of the program says so, they are stored as halves. */
import type { Tensor } from '../tensor/tensor.ts'
import { leaves, mapTree } from '../tensor/tree.ts'
import { currentPrecision } from '../tensor/withPrecision.ts'

const areRounded = (): boolean => currentPrecision().activations !== 'f32'

/** f32 as the policy stores it, read again as f32; its cotangent goes the same way back. Other dtypes stay. */
const rounded = (x: Tensor): Tensor => (x.dtype === 'f32' ? x.cast(currentPrecision().activations).cast('f32') : x)

/**
 * What a layer gives on, a tree: the same, or where activations are halves, its f32 leaves rounded to them.
 *
 * @param decided leaves that stay as they are
 */
export const asActivation = <T>(tree: T, decided: ReadonlySet<Tensor> = new Set()): T =>
  areRounded() ? mapTree(tree, (x) => (decided.has(x) ? x : rounded(x))) : tree

/** The tree, whose leaves are noted where activations are halves. */
export const noteActivations = <T>(tree: T, decided: Set<Tensor>): T => {
  if (areRounded()) for (const x of leaves(tree)) decided.add(x)
  return tree
}
