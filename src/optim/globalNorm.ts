/** The norm of all gradients together, and clipping by it (Pascanu et al. 2013, algorithm 1). */
import { full } from '../tensor/create.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { leaves, mapTree } from '../tensor/tree.ts'
import { stateless, type Stateless, type Transform } from './transform.ts'

/** As in PyTorch's `clip_grad_norm_`: keeps the quotient finite when all gradients are 0. */
const clipEpsilon = 1e-6

/**
 * √Σ x² over all elements of all leaves, as a scalar: f64 when a leaf is, else f32; f16 leaves are summed in f32. 0 for
 * no leaves.
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { globalNorm } from 'fathom/optim'
 *
 * globalNorm({ weight: tensor([[3]]), bias: tensor([4]) }) // => 5
 * ```
 */
export const globalNorm = (tree: unknown): Tensor => {
  const dtype = leaves(tree).some((x) => x.dtype === 'f64') ? 'f64' : 'f32'
  const squares = leaves(tree).map((x) => x.cast(dtype).square().sum())
  return squares.reduce((sum, s) => sum.add(s), full([], 0, dtype)).sqrt()
}

/**
 * g → g · min(1, maxNorm / (‖g‖ + 1e-6)) with the norm over all leaves together, as PyTorch's `clip_grad_norm_`.
 *
 * Gradients that are not finite stay so; look at {@link globalNorm} to find them.
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { clipByGlobalNorm } from 'fathom/optim'
 *
 * const clip = clipByGlobalNorm(1)
 * const long = tensor([0, 2]) // of norm 2: halved
 * clip.update(long, {}, long)[0] // => [0, 1]
 * const short = tensor([0, 0.5])
 * clip.update(short, {}, short)[0] // => [0, 0.5]
 * ```
 */
export const clipByGlobalNorm = (maxNorm: number): Transform<Stateless> => {
  if (!(maxNorm > 0)) throw new RangeError(`clipByGlobalNorm: the largest norm is ${maxNorm}; it must be above 0`)
  return stateless((gradients) => {
    const norm = globalNorm(gradients)
    const factor = norm.operand(maxNorm).div(norm.add(clipEpsilon)).minimum(1)
    return mapTree(gradients, (g) => g.mul(factor.cast(g.dtype)))
  })
}
