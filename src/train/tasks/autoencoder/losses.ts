/**
 * What an autoencoder loses on crops of pictures: how far reconstructions are, in pixels and in details, what holds latents together, and whether
 * they shrink and turn as pictures do. All are means, so that their balance does not depend on the size of a crop.
 */
import type { Autoencoder, AutoencoderParams } from '../../../models/autoencoder/autoencoder.ts'
import { klDivergence, samplePosterior } from '../../../models/autoencoder/posterior.ts'
import { equivarianceLoss } from '../../../models/reconstruction/equivarianceLoss.ts'
import { pyramidLoss } from '../../../models/reconstruction/pyramidLoss.ts'
import { featureLoss } from '../../../nn/featureLoss.ts'
import { charbonnier } from '../../../nn/losses.ts'
import { zerosLike } from '../../../tensor/create.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { LossWeights } from './autoencoderConfig.ts'
import type { FrozenFeatures } from './frozenFeatures.ts'

/** A loss with its name in the metrics, and what it counts. */
export interface Term {
  readonly name: string
  readonly value: Tensor
  readonly weight: Tensor | number
}

/** Losses, and their weighted sum. */
export interface Losses {
  readonly total: Tensor
  /** By name, without their weights. */
  readonly parts: Readonly<Record<string, Tensor>>
}

/** The weighted sum of some losses. */
const sumOf = ([first, ...rest]: readonly [Term, ...Term[]]): Losses => ({
  total: rest.reduce((sum, { value, weight }) => sum.add(value.mul(weight)), first.value.mul(first.weight)),
  parts: Object.fromEntries([first, ...rest].map(({ name, value }) => [name, value])),
})

/** Crops in [−1, 1], and what is drawn for them. */
export interface Crops {
  /** [N, H, W, channels] */
  readonly x: Tensor
  /** ε of the latents, [N, h, w, latentChannels]. */
  readonly noise: Tensor
  /** Right angles by which each turns, i32 [N]. */
  readonly turns: Tensor
  /** ε that a denoiser is shown crops with, of their shape; there where features are compared. */
  readonly disturbance?: Tensor
}

/** Weights that change from step to step. */
export interface StepWeights {
  readonly kl: Tensor | number
  readonly equivariance: Tensor | number
  readonly features?: Tensor | number
}

/** Latents of crops: the most probable ones, and a sample. */
export interface Encoded {
  readonly mean: Tensor
  readonly z: Tensor
}

/** What is lost, by names; `made` is what the decoder made of the crops. */
export interface FitLosses extends Losses {
  readonly made: Tensor
}

/** The losses of an autoencoder. */
export interface AutoencoderLosses<Enc, Dec> {
  /** Of encoder and decoder together. */
  readonly ofBoth: (params: AutoencoderParams<Enc, Dec>, crops: Crops, weights: StepWeights) => FitLosses
  /** Of a decoder whose latents do not change any more. */
  readonly ofDecoder: (decoder: Dec, latents: Encoded, crops: Crops, weights: StepWeights) => FitLosses
  /** Latents by an encoder. */
  readonly encode: (encoder: Enc, crops: Pick<Crops, 'x' | 'noise'>) => Encoded & { readonly kl: Tensor }
  /** The names of all that `ofBoth` loses. */
  readonly names: readonly string[]
}

/** A loss, unless its weight is 0. */
const counted = (weight: number, term: () => Term): readonly Term[] => (weight > 0 ? [term()] : [])

/** How far reconstructions are from crops in what a network sees of both, under the same noise. */
const seen = (sees: FrozenFeatures, made: Tensor, x: Tensor, disturbance: Tensor = zerosLike(x)): Tensor =>
  featureLoss((pictures) => sees(pictures, disturbance), made, x)

/**
 * The losses of an autoencoder in their weights:
 *
 *     charbonnier(x̂, x) + pyramid·|details| + kl·KL(q(z|x) ‖ N(0, 1)) + codebook + equivariance·|decode(τz) − τx| + features·‖f(x̂) − f(x)‖²
 *
 * @param fixed those of the configuration; 0 leaves a loss out
 * @param sees what features are, where they count
 */
export const autoencoderLosses = <Enc, Dec>(
  { encoder, decoder, codebookLoss }: Autoencoder<Enc, Dec>,
  fixed: LossWeights,
  hasVariance: boolean,
  sees?: FrozenFeatures,
): AutoencoderLosses<Enc, Dec> => {
  const encode: AutoencoderLosses<Enc, Dec>['encode'] = (params, { x, noise }) => {
    const posterior = encoder.apply(params, x)
    return { mean: posterior.mean, z: samplePosterior(posterior, noise), kl: klDivergence(posterior) }
  }
  const terms = (
    params: Dec,
    { mean, z }: Encoded,
    { x, turns, disturbance }: Crops,
    weights: StepWeights,
  ): readonly [Tensor, readonly [Term, ...Term[]]] => {
    const decode = (latents: Tensor): Tensor => decoder.apply(params, latents)
    const made = decode(z)
    return [
      made,
      [
        { name: 'charbonnier', value: charbonnier(made, x), weight: 1 },
        ...counted(fixed.pyramid, () => ({ name: 'pyramid', value: pyramidLoss(made, x), weight: fixed.pyramid })),
        ...(codebookLoss === undefined ? [] : [{ name: 'codebook', value: codebookLoss(params, mean), weight: 1 }]),
        ...counted(fixed.equivariance, () => ({
          name: 'equivariance',
          value: equivarianceLoss(decode, mean, x, turns),
          weight: weights.equivariance,
        })),
        ...(sees === undefined
          ? []
          : [{ name: 'features', value: seen(sees, made, x, disturbance), weight: weights.features ?? 0 }]),
      ],
    ]
  }
  const isSpread = hasVariance && fixed.kl > 0
  return {
    encode,
    ofBoth: (params, crops, weights) => {
      const { kl, ...latents } = encode(params.encoder, crops)
      const [made, [first, ...rest]] = terms(params.decoder, latents, crops, weights)
      const spread = isSpread ? [{ name: 'kl', value: kl, weight: weights.kl }] : []
      return { made, ...sumOf([first, ...rest, ...spread]) }
    },
    ofDecoder: (params, latents, crops, weights) => {
      const [made, all] = terms(params, latents, crops, weights)
      return { made, ...sumOf(all) }
    },
    names: [
      'charbonnier',
      ...(fixed.pyramid > 0 ? ['pyramid'] : []),
      ...(codebookLoss === undefined ? [] : ['codebook']),
      ...(fixed.equivariance > 0 ? ['equivariance'] : []),
      ...(sees === undefined ? [] : ['features']),
      ...(isSpread ? ['kl'] : []),
    ],
  }
}
