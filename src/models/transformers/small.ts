/** How GPT-2 and ViT begin: matrices N(0, 0.02²), those that end a residual branch smaller, biases zero, norms as they are. */
import { normal, zeros } from '../../nn/init.ts'
import type { Module } from '../../nn/module.ts'
import { foldIn } from '../../tensor/random.ts'
import { mapTree } from '../../tensor/tree.ts'

/** Whether a matrix ends one of the two branches of a block. */
const endsBranch = (path: string): boolean =>
  path.endsWith('attention.out.weight') || path.endsWith('mlp.contract.weight')

/**
 * A transformer of so many blocks that begins so: a sum of 2·depth branches of deviation 1/√(2·depth) does not grow with the depth (Radford et al.
 * 2019, section 2.3).
 */
export const gptInit = <P, In, Out>(depth: number, module: Module<P, In, Out>): Module<P, In, Out> => ({
  ...module,
  init: (key) =>
    mapTree<P, P>(module.init(key), (x, path) => {
      if (x.rank === 2) return normal(x.shape, endsBranch(path) ? 0.02 / Math.sqrt(2 * depth) : 0.02)(foldIn(key, path))
      return path.endsWith('bias') && !path.includes('norm') ? zeros(x.shape)(key) : x
    }),
})
