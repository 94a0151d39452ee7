/**
 * Whole networks. A model knows nothing of diffusion; it is a module like any layer.
 *
 * @module fathom/models
 */
export { lucidrainsNames, lucidrainsWeights, type LucidrainsTensor, type WeightsError } from './lucidrainsWeights.ts'
export { mlp, type MlpOptions, type MlpParams } from './mlp.ts'
export { resBlock, type Conditioned, type NormedConvParams, type ResBlockParams } from './resBlock.ts'
export { unet, type UnetInput, type UnetOptions, type UnetParams } from './unet.ts'
