/** R1: a discriminator that is steep at real pictures pays for it (Mescheder et al. 2018, eq. 9). */
import { at } from '../../prelude/array.ts'
import { ShapeError } from '../../prelude/errors.ts'
import { showShape } from '../../graph/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** What differentiates a scalar function of a tensor: `grad` of fathom. It is an argument because models do not know autodiff. */
export type Differentiate = (f: (x: Tensor) => Tensor) => (x: Tensor) => Tensor

/**
 * ‖∂/∂x Σ D(x)‖² at real pictures, without the factor γ/2, divided by the number of judgements: the sum is over the patches of all
 * pictures, and a picture of twice the size has four times as many. With one judgement a picture it is E‖∇D(x)‖².
 *
 * @param differentiate `grad`
 * @param discriminate the discriminator as a function of pictures, its parameters bound
 * @param pictures real ones, [N, H, W, C]
 * @returns a scalar, to be differentiated once more with respect to the discriminator's parameters
 * @throws ShapeError where the discriminator gives no judgements
 * @example
 * ```ts
 * import { grad, ones, tensor } from 'fathom'
 * import { r1Penalty } from 'fathom/models'
 *
 * const weight = tensor([3, 4])
 * r1Penalty(grad, (x) => x.mul(weight).sum(-1, true), ones([5, 1, 1, 2])) // => 25
 * ```
 */
export const r1Penalty = (
  differentiate: Differentiate,
  discriminate: (pictures: Tensor) => Tensor,
  pictures: Tensor,
): Tensor => {
  const judgements: number[] = []
  const slopes = differentiate((x) => {
    const logits = discriminate(x)
    judgements.push(logits.size)
    return logits.sum()
  })(pictures)
  const count = at(judgements, 0)
  if (count === 0)
    throw new ShapeError(
      `r1Penalty: the discriminator gives no judgement of pictures ${showShape(pictures.shape)}; give larger ones`,
    )
  return slopes.square().sum().div(count)
}
