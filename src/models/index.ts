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
export type { ClassifierFamily, ClassifierPurpose } from './classifierFamily.ts'
export {
  classifierDefaults,
  classifierKinds,
  classifierOf,
  decodeClassifier,
  type AnyClassifier,
  type BuiltClassifier,
  type ClassifierConfig,
  type ClassifierKind,
} from './classifierRegistry.ts'
export {
  decodeLanguage,
  gptFamily,
  languageModelOf,
  type GptConfig,
  type LanguageConfig,
  type LanguageFamily,
} from './gpt/family.ts'
export { generateOn, type GenerateOptions } from './gpt/generate.ts'
export { gpt, gptSizes, type Gpt, type GptOptions, type GptParams, type GptSize } from './gpt/gpt.ts'
export type { BlockKind, NormedParams, NormParams, ResidualParams, ResnetNorm } from './resnet/blocks.ts'
export { resnetFamily, type ResnetConfig } from './resnet/family.ts'
export { resnet, resnetSizes, type ResnetOptions, type ResnetParams } from './resnet/resnet.ts'
export { vitFamily, type VitConfig } from './vit/family.ts'
export { vit, vitSizes, type VitOptions, type VitParams, type VitSize } from './vit/vit.ts'
export { dit, type DitOptions, type DitParams } from './dit/dit.ts'
export { ditFamily, ditSizes, type DitConfig, type DitSize } from './dit/family.ts'
export type { DitBlockParams } from './dit/block.ts'
export type { TransformerOptions, TransformerSettings } from './transformers/settings.ts'
export type { DenoiserInput, Family } from './family.ts'
export { edm2, type Edm2Options, type Edm2Params } from './edm2/edm2.ts'
export { edm2Family, type Edm2Config } from './edm2/family.ts'
export { lucidrainsFamily, type UnetConfig } from './lucidrains/family.ts'
export type { ModelConfig } from './registry.ts'
export type { DenoiserParams } from './sealed.ts'
export { unet2dFamily, type Unet2dConfig } from './unet2d/family.ts'
export { mlp, type MlpOptions, type MlpParams } from './mlp.ts'
export { mlpFamily, type MlpConfig } from './mlpFamily.ts'
export { resBlock, type Conditioned, type NormedConvParams, type ResBlockParams } from './lucidrains/resBlock.ts'
export { unet1d } from './lucidrains/unet1d.ts'
export { unet3d } from './lucidrains/unet3d.ts'
export { unet, type UnetInput, type UnetOptions, type UnetParams, type UnetTime } from './lucidrains/unet.ts'
export { decodeDiffusersUnet2d, type DiffusersUnet } from './unet2d/diffusersConfig.ts'
export { unet2dNames } from './unet2d/names.ts'
export type { Unet2dOptions } from './unet2d/layers.ts'
export { encodeDiffusersUnet2d } from './unet2d/toDiffusers.ts'
export { unet2d, type Unet2dParams } from './unet2d/unet2d.ts'
export type { UvitBlockParams } from './uvit/block.ts'
export { uvitFamily, uvitSizes, type UvitConfig, type UvitSize } from './uvit/family.ts'
export type { UvitSettings } from './uvit/settings.ts'
export { uvit, type UvitOptions, type UvitParams } from './uvit/uvit.ts'
export type { Autoencoder, AutoencoderParams } from './autoencoder/autoencoder.ts'
export type { ActivationName } from './activations.ts'
export type { LatentStageParams, LatentMiddleParams } from './autoencoder/blocks.ts'
export type { AutoencoderFamily, ForeignConfig, ForeignNames } from './autoencoder/family.ts'
export { autoencoderKl, klFamily, type KlConfig } from './autoencoder/kl.ts'
export {
  klDivergence,
  posteriorMode,
  posteriorNll,
  posteriorOf,
  samplePosterior,
  summedKlDivergence,
  type Posterior,
} from './autoencoder/posterior.ts'
export {
  autoencoderDefaults,
  autoencoderOf,
  decodeAutoencoder,
  decodeDiffusersAutoencoder,
  type AnyAutoencoder,
  type AutoencoderConfig,
  type AutoencoderKind,
  type BuiltAutoencoder,
} from './autoencoder/registry.ts'
export { encodeDiffusersAutoencoder } from './autoencoder/toDiffusers.ts'
export { scaleLatents, unscaleLatents, type LatentScaling } from './autoencoder/scaling.ts'
export { resizeChannels } from './autoencoder/shortcuts.ts'
export { tiledAutoencoder, type TiledAutoencoder, type TileOptions } from './autoencoder/tiling.ts'
export { autoencoderTiny, tinyFamily, type TinyConfig, type TinyParams } from './autoencoder/tiny.ts'
export type { DecoderParams, EncoderParams, TrunkConfig } from './autoencoder/trunk.ts'
export {
  codebookLoss,
  nearestCodes,
  quantize,
  vqFamily,
  vqModel,
  type VqAutoencoder,
  type VqConfig,
  type VqDecoderParams,
} from './autoencoder/vq.ts'
