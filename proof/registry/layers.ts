/** Every layer, loss, activation and model. The table is total: one without an entry does not compile. */
import type * as models from '../../src/models/index.ts'
import type * as nn from '../../src/nn/index.ts'
import type { Entry } from './entry.ts'
import { functions } from './functions.ts'
import { bentActivations } from './functions/bentActivations.ts'
import { attentionLayers } from './layers/attention.ts'
import { basicLayers } from './layers/basic.ts'
import { otherLosses } from './layers/classLosses.ts'
import { losses } from './layers/losses.ts'
import { models as networks } from './layers/models.ts'
import { pictureLosses } from './layers/pictureLosses.ts'
import { sequenceLayers } from './layers/sequences.ts'
import { statefulLayers } from './layers/stateful.ts'
import { recurrentLayers } from './layers/recurrent.ts'

/**
 * What is exported that computes nothing of its own: ways to make modules and first parameters, a table of text, weights of others;
 * and an adversary and residual networks, whose kinks are everywhere: test/models/adversary.test.ts keeps away from them, and
 * test/models/networks.test.ts compares with PyTorch's.
 */
type NoLayer =
  | 'adversarialLosses'
  | 'applyWithState'
  | 'cacheOf'
  | 'classifierDefaults'
  | 'classifierKinds'
  | 'classifierOf'
  | 'compose'
  | 'decodeClassifier'
  | 'decodeDiffusersUnet2d'
  | 'decodeLanguage'
  | 'edm2Family'
  | 'encodeDiffusersUnet2d'
  | 'describe'
  | 'ditFamily'
  | 'ditSizes'
  | 'evaluate'
  | 'generateOn'
  | 'gptFamily'
  | 'gptSizes'
  | 'kaimingUniform'
  | 'languageModelOf'
  | 'lift'
  | 'lucidrainsFamily'
  | 'lucidrainsNames'
  | 'lucidrainsWeights'
  | 'mlpFamily'
  | 'normal'
  | 'ones'
  | 'parameter'
  | 'patchDiscriminator'
  | 'resnet'
  | 'resnetFamily'
  | 'resnetSizes'
  | 'stateful'
  | 'stateOf'
  | 'unet2dFamily'
  | 'unet2dNames'
  | 'uniform'
  | 'uvitFamily'
  | 'torchRecurrent'
  | 'uvitSizes'
  | 'vitFamily'
  | 'vitSizes'
  | 'zeros'

/** Autoencoders and their parts: test/models/autoencoder holds them to the values and gradients of diffusers, and to the equations of chapter 15. */
type OfAutoencoders =
  | 'autoencoderDefaults'
  | 'autoencoderKl'
  | 'autoencoderOf'
  | 'autoencoderTiny'
  | 'codebookLoss'
  | 'decodeAutoencoder'
  | 'decodeDiffusersAutoencoder'
  | 'encodeDiffusersAutoencoder'
  | 'klDivergence'
  | 'klFamily'
  | 'nearestCodes'
  | 'posteriorMode'
  | 'posteriorNll'
  | 'posteriorOf'
  | 'quantize'
  | 'resizeChannels'
  | 'samplePosterior'
  | 'scaleLatents'
  | 'summedKlDivergence'
  | 'tiledAutoencoder'
  | 'tinyFamily'
  | 'unscaleLatents'
  | 'vqFamily'
  | 'vqModel'

/** Layers, losses, activations and models. */
export type LayerName = Exclude<keyof typeof nn | keyof typeof models, NoLayer | OfAutoencoders>

const { gelu, geluTanh, leakyRelu, logSigmoid, logSoftmax, relu, silu, softmax, softplus } = functions

/** Name → entry. */
export const layers: { readonly [K in LayerName]: Entry } = {
  ...basicLayers,
  ...sequenceLayers,
  ...statefulLayers,
  ...attentionLayers,
  ...losses,
  ...otherLosses,
  ...networks,
  ...pictureLosses,
  ...bentActivations,
  ...recurrentLayers,
  gelu,
  geluTanh,
  leakyRelu,
  logSigmoid,
  logSoftmax,
  relu,
  silu,
  softmax,
  softplus,
}
