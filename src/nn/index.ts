/**
 * Modules, layers and losses. A module is a pair of pure functions over a tree of parameters; nothing here differentiates or computes.
 * What parameters begin with is in an entry of its own, `fathom/nn/init`, for `ones`, `zeros`, `normal` and `uniform` of `fathom` are tensors.
 *
 * @module fathom/nn
 */
export * from './activations.ts'
export { attention, type AttentionInput, type AttentionOptions, type AttentionParams } from './attention.ts'
export { batchNorm, type BatchNormOptions, type BatchNormParams } from './batchNorm.ts'
export { cacheOf } from './cache.ts'
export { checkpointed } from './checkpointed.ts'
export type { ClassOptions } from './classLosses.ts'
export { conv1d, type Conv1dOptions, type Conv1dParams } from './conv1d.ts'
export { conv2d, type Conv2dOptions, type Conv2dParams } from './conv2d.ts'
export { conv3d, type Conv3dOptions, type Conv3dParams } from './conv3d.ts'
export { convTranspose2d, type ConvTranspose2dOptions, type ConvTranspose2dParams } from './convTranspose2d.ts'
export { crossEntropy, type CrossEntropyOptions } from './crossEntropy.ts'
export { ctcLoss, type CtcOptions } from './ctcLoss.ts'
export { describe } from './describe.ts'
export { gaussianNll, klDiv, type GaussianNllOptions } from './divergences.ts'
export { dropout, dropout2d, dropPath } from './dropout.ts'
export { embedding, type EmbeddingParams } from './embedding.ts'
export { featureLoss } from './featureLoss.ts'
export { fourierTimeEmbedding, type FourierTimeParams } from './fourierTimeEmbedding.ts'
export { groupNorm, normalizeGroups, type GroupNormParams } from './groupNorm.ts'
export { gru, gruCell, gruWithState } from './gru.ts'
export { instanceNorm, type InstanceNormParams } from './instanceNorm.ts'
export { layerNorm, type LayerNormParams } from './layerNorm.ts'
export { learnedPositions, type LearnedPositionsParams } from './learnedPositions.ts'
export { linear, type LinearParams } from './linear.ts'
export { binaryCrossEntropy, charbonnier, huber, l1, mse } from './losses.ts'
export type { ReductionOptions, Reduction } from './lossShapes.ts'
export { lstm, lstmCell, lstmWithState, type LstmCellInput, type LstmState } from './lstm.ts'
export { focalLoss, hinge, smoothL1, type FocalOptions } from './margins.ts'
export type { ModeFields } from './mode.ts'
export { compose, evaluate, lift, parameter, sequential } from './module.ts'
export type { AnyModule, Bound, Children, Mode, Module, NoParams, ParamsOf, ParamsOfChildren } from './module.ts'
export { multiHeadAttention } from './multiHeadAttention.ts'
export type { MaskedInput, MultiHeadInput, MultiHeadOptions } from './multiHeadAttention.ts'
export { nllLoss } from './nllLoss.ts'
export { prelu, type PreluParams } from './prelu.ts'
export {
  torchRecurrent,
  type RecurrentInput,
  type RecurrentOptions,
  type RecurrentOutput,
  type RecurrentParams,
} from './recurrent.ts'
export { normalizeVectors, rmsNorm, type RmsNormParams } from './rmsNorm.ts'
export { rotary, type RotaryOptions } from './rotary.ts'
export { cosineEmbeddingLoss, cosineSimilarity, tripletLoss } from './similarities.ts'
export { spectralNorm } from './spectralNorm.ts'
export { applyWithState, stateful, stateOf, type StatefulLayer } from './state.ts'
export type { CacheSize, ModelState, StateEntry, StateScope } from './stateScope.ts'
export { sinusoidalTimeEmbedding } from './timeEmbedding.ts'
export { transformerBlock, type TransformerBlockOptions, type TransformerBlockParams } from './transformerBlock.ts'
