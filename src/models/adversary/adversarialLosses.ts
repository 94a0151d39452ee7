/** What the two sides of a generative adversarial network lose (Goodfellow et al. 2014), over logits of a discriminator that has no sigmoid. */
import { relu, softplus } from '../../tensor/activations.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** The losses of both sides, means over all logits. */
export interface AdversarialLoss {
  /** What the discriminator loses, which should say above 0 of real pictures and below 0 of made ones. */
  readonly discriminator: (real: Tensor, made: Tensor) => Tensor
  /** What who made the pictures loses. */
  readonly generator: (made: Tensor) => Tensor
}

/**
 * By name. `hinge` (Lim & Ye 2017; Miyato et al. 2018, eq. 16, 17, halved as in VQGAN) lets a logit go that is right by 1; `vanilla` is the
 * cross-entropy, for the generator in the form that does not saturate.
 *
 *     hinge     ½·(relu(1 − D(x)) + relu(1 + D(x̂)))              −D(x̂)
 *     vanilla   ½·(softplus(−D(x)) + softplus(D(x̂)))            softplus(−D(x̂))
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { adversarialLosses } from 'fathom/models'
 *
 * const { discriminator, generator } = adversarialLosses.hinge
 * discriminator(tensor([2, 0]), tensor([-3, -0.5])) // => 0.375
 * generator(tensor([-3, -0.5])) // => 1.75
 * adversarialLosses.vanilla.discriminator(tensor([0]), tensor([0])) // => 0.693147
 * ```
 */
export const adversarialLosses: { readonly [K in 'hinge' | 'vanilla']: AdversarialLoss } = {
  hinge: {
    discriminator: (real, made) =>
      relu(real.neg().add(1))
        .mean()
        .add(relu(made.add(1)).mean())
        .mul(0.5),
    generator: (made) => made.mean().neg(),
  },
  vanilla: {
    discriminator: (real, made) => softplus(real.neg()).mean().add(softplus(made).mean()).mul(0.5),
    generator: (made) => softplus(made.neg()).mean(),
  },
}
