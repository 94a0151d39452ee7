/**
 * CFG++: guidance whose step stays on the way of pictures (Chung et al. 2024, algorithm 2). Usual guidance moves the image that is seen and the noise that
 * is seen; here the image alone is moved, by a share, and it is noised again with what the guide says the noise is.
 */
import { requireKnown, requireShare } from '../prelude/options.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Guided } from './guidance.ts'

/** Two predictions: of one the image counts, and of the other the noise. */
export interface SplitPrediction {
  readonly image: Tensor
  readonly noise: Tensor
}

/**
 * The denoiser of CFG++, with D the network and G its guide:
 *
 *     x̂₀ of G + λ·(D − G),  ε̂ of G
 *
 * For samplers that add the noise that is seen as it is, x′ = a′·x̂₀ + …·ε̂: `ddim`, and with fresh noise its η. With λ = 0 they draw what the guide draws.
 * Where estimates have no bounds, a step of DDIM is one of usual guidance with the weight λ/(1 − σ′/σ), σ = s/a: the shorter a step is, the more.
 *
 * @param options weight: λ in [0, 1]
 * @returns a network for `sampling`, whose parameters are those of the pair
 * @throws RangeError for a weight outside [0, 1]
 * @example
 * ```ts
 * import { tensor, type Tensor } from 'fathom'
 * import { autoguidance, cfgPlusPlus } from 'fathom/diffusion'
 *
 * const network = (scale: Tensor, xt: Tensor): Tensor => xt.mul(scale)
 * const denoise = cfgPlusPlus(autoguidance(network, network), { weight: 0.5 })
 * const { image, noise } = denoise({ params: tensor(0.9), guide: tensor(0.5) }, tensor([[10]]), tensor([0]))
 * image // => [[7]]
 * noise // => [[5]]
 * ```
 */
export const cfgPlusPlus = <P>(
  { both }: Guided<P>,
  options: { readonly weight: number },
): ((params: P, xt: Tensor, t: Tensor, estimate?: Tensor) => SplitPrediction) => {
  requireKnown('cfgPlusPlus', options, ['weight'])
  const { weight } = options
  requireShare('cfgPlusPlus', 'weight', weight)
  return (params, xt, t, estimate) => {
    const [own, guide] = both(params, xt, t, estimate)
    const between = weight === 1 ? own : guide.add(own.sub(guide).mul(weight))
    return { image: weight === 0 ? guide : between, noise: guide }
  }
}
