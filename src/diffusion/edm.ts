/**
 * The preconditioning of EDM, Karras et al. 2022, section 5: a network F that sees images and noise of one size at every σ, and learns targets of one
 * size.
 */
import { requireKnown, requirePositive } from '../prelude/options.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** The factors of {@link edmPreconditioned} at each σ, of the shape of σ. */
export interface EdmFactors {
  /** Of x in the image: c_skip = σ_d² / (σ² + σ_d²). */
  readonly skip: Tensor
  /** Of F in the image: c_out = σ·σ_d / √(σ² + σ_d²). */
  readonly out: Tensor
  /** Of x as F sees it: c_in = 1 / √(σ² + σ_d²). */
  readonly in: Tensor
  /** What F is told of σ: c_noise = ¼ ln σ. */
  readonly noise: Tensor
}

/**
 * The factors at σ (Karras et al. 2022, table 1).
 *
 * @param sigma any shape, above 0
 * @param sigmaData σ_d, the deviation of the images; default 0.5
 * @example
 * ```ts
 * import { scalar } from 'fathom'
 * import { edmFactors } from 'fathom/diffusion'
 *
 * const { skip, out, noise } = edmFactors(scalar(0.5))
 * skip // => 0.5
 * out // => 0.353553
 * noise // => -0.173287
 * ```
 */
export const edmFactors = (sigma: Tensor, sigmaData = 0.5): EdmFactors => {
  requirePositive('edmFactors', 'sigmaData', sigmaData)
  const power = sigma.square().add(sigmaData ** 2)
  return {
    skip: power.pow(-1).mul(sigmaData ** 2),
    out: sigma.mul(sigmaData).mul(power.pow(-0.5)),
    in: power.pow(-0.5),
    noise: sigma.log().mul(0.25),
  }
}

/**
 * A network as a denoiser of x = x₀ + σ·ε, which predicts x₀ (eq. 7):
 *
 *     D(x; σ) = c_skip·x + c_out·F(c_in·x; c_noise)
 *
 * On the levels of `karrasLevels` it is what a sampler asks, with `prediction: 'x0'` and without a bound. With σ_d = 1, F is −v at the variance-preserving
 * level of the same ratio: so a network that is trained on v, with times of density `log-normal` and the weighting `plain`, is trained by the loss
 * of EDM (eq. 8).
 *
 * @param network F: its parameters, [N, …] and c_noise [N], to what is like x
 * @returns `(params, x [N, …], sigma [N]) → x₀ like x`
 * @example
 * ```ts
 * import { tensor, type Tensor } from 'fathom'
 * import { edmPreconditioned } from 'fathom/diffusion'
 *
 * const denoise = edmPreconditioned((_: object, x: Tensor): Tensor => x.mul(0))
 * denoise({}, tensor([[2, 4], [2, 4]]), tensor([0.5, 80])) // => [[1, 2], [0.000078, 0.000156]]
 * ```
 */
export const edmPreconditioned =
  <P>(network: (params: P, x: Tensor, noise: Tensor) => Tensor, options: { readonly sigmaData?: number } = {}) =>
  (params: P, x: Tensor, sigma: Tensor): Tensor => {
    requireKnown('edmPreconditioned', options, ['sigmaData'])
    const { sigmaData = 0.5 } = options
    const each = [...sigma.shape, ...x.shape.slice(sigma.rank).map(() => 1)]
    const factors = edmFactors(sigma.reshape(each), sigmaData)
    const said = network(params, x.mul(factors.in), edmFactors(sigma, sigmaData).noise)
    return x.mul(factors.skip).add(said.mul(factors.out))
  }
