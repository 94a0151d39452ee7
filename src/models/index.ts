/**
 * Whole networks, and what autoencoders are trained by: losses of pictures, and an adversary. A model knows nothing of diffusion; it is a
 * module like any layer.
 *
 * @module fathom/models
 */
export { adaptiveWeight, type AdaptiveWeightOptions } from './adversary/adaptiveWeight.ts'
export { adversarialLosses, type AdversarialLoss } from './adversary/adversarialLosses.ts'
export {
  patchDiscriminator,
  type JudgingBlockParams,
  type PatchDiscriminatorOptions,
  type PatchDiscriminatorParams,
} from './adversary/patchDiscriminator.ts'
export { r1Penalty, type Differentiate } from './adversary/r1Penalty.ts'
export { equivarianceLoss, type EquivarianceOptions } from './reconstruction/equivarianceLoss.ts'
export { pyramidLoss } from './reconstruction/pyramidLoss.ts'
export { lucidrainsNames, lucidrainsWeights, type LucidrainsTensor, type WeightsError } from './lucidrains/weights.ts'
export { pixelAttention, type PixelAttentionOptions, type PixelAttentionParams } from './lucidrains/attention.ts'
export { downsample, type DownsampleParams } from './lucidrains/downsample.ts'
export { linearAttention, type LinearAttentionParams } from './lucidrains/linearAttention.ts'
export { upsample, type UpsampleParams } from './lucidrains/upsample.ts'
export type { DenoiserInput, Family } from './family.ts'
export { lucidrainsFamily, type UnetConfig } from './lucidrains/family.ts'
export type { DenoiserParams, ModelConfig } from './registry.ts'
export { mlp, type MlpOptions, type MlpParams } from './mlp.ts'
export { resBlock, type Conditioned, type NormedConvParams, type ResBlockParams } from './lucidrains/resBlock.ts'
export { unet, type UnetInput, type UnetOptions, type UnetParams } from './lucidrains/unet.ts'
