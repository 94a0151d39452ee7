/** How much an adversary may count (Esser et al. 2021, VQGAN, eq. 7): as much as what it is added to, and no more. */
import { requireKnown } from '../../prelude/options.ts'
import { leaves } from '../../tensor/tree.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** Options of {@link adaptiveWeight}. */
export interface AdaptiveWeightOptions {
  /** What the weight is multiplied by at last, default 0.5. */
  readonly factor?: number
  /** What the quotient of the norms may be at most, default 1. */
  readonly most?: number
  /** Added to the adversary's norm, default 10⁻⁴. */
  readonly epsilon?: number
}

/** ‖g‖₂ over all leaves. */
const normOf = (name: string, tree: unknown): Tensor => {
  const squares = leaves(tree).map((g) => g.square().sum())
  if (squares.length === 0)
    throw new RangeError(
      `adaptiveWeight: the gradient ${name} has no tensors; give those of the last layer's parameters`,
    )
  return squares.reduce((a, b) => a.add(b)).sqrt()
}

/**
 * w = factor · min(‖∇rec‖ / (‖∇gan‖ + ε), most), of the gradients of both losses with respect to the decoder's last layer. No gradient flows
 * through it. With `most` at 1 an adversary that has hardly a gradient yet is not blown up, and one that shouts is turned down; VQGAN's own
 * bound is 10⁴.
 *
 * @param reconstruction the gradient of what is reconstructed, of the last layer's parameters: a tensor or a tree of them
 * @param adversary that of the generator's adversarial loss, of the same parameters
 * @returns a scalar
 * @throws RangeError for a factor or bound below 0, for ε that is not above 0, and for a tree without tensors
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { adaptiveWeight } from 'fathom/models'
 *
 * const reconstruction = { weight: tensor([3, 0]), bias: tensor([4]) }
 * adaptiveWeight(reconstruction, { weight: tensor([0, 0]), bias: tensor([10]) }) // => 0.25000
 * adaptiveWeight(reconstruction, { weight: tensor([0, 0]), bias: tensor([0.01]) }) // => 0.5
 * ```
 */
export const adaptiveWeight = (
  reconstruction: unknown,
  adversary: unknown,
  options: AdaptiveWeightOptions = {},
): Tensor => {
  requireKnown('adaptiveWeight', options, ['factor', 'most', 'epsilon'])
  const { factor = 0.5, most = 1, epsilon = 1e-4 } = options
  if (!(factor >= 0 && most >= 0 && epsilon > 0))
    throw new RangeError(
      `adaptiveWeight: factor ${factor} and most ${most} must not be below 0, and epsilon ${epsilon} must be above`,
    )
  const [wanted, pushing] = [normOf('of the reconstruction', reconstruction), normOf('of the adversary', adversary)]
  return wanted.div(pushing.add(epsilon)).minimum(most).mul(factor).stopGradient()
}
