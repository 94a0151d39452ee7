/** Every bug of the mutation proof. */
import { assignmentMutants } from './assignment.ts'
import { autoencoderMutants } from './autoencoders.ts'
import { cookbookMutants } from './cookbook.ts'
import { derivativeMutants } from './derivatives.ts'
import { deviceMutants } from './devices.ts'
import { diffusersFolderMutants } from './diffusersFolders.ts'
import { diffusionMutants } from './diffusion.ts'
import { noiseMutants } from './noise.ts'
import { samplerMutants } from './samplers.ts'
import { endMutants } from './ends.ts'
import { faultMutants } from './faults.ts'
import { fileMutants } from './files.ts'
import { guidanceMutants } from './guidance.ts'
import { graphMutants } from './graph.ts'
import { kernelMutants } from './kernels.ts'
import { learnedVarianceMutants } from './learnedVariance.ts'
import { layerMutants, lossMutants } from './layers.ts'
import { besideMutants } from './layersBeside.ts'
import { limitMutants } from './limits.ts'
import { lostDeviceMutants } from './lostDevices.ts'
import { loopMutants } from './loops.ts'
import { messageMutants } from './messages.ts'
import { mixedMutants } from './mixed.ts'
import type { Mutant } from './mutant.ts'
import { otherWayMutants } from './otherWays.ts'
import { ownTrainingMutants } from './ownTraining.ts'
import { pictureMutants } from './pictures.ts'
import { photographMutants } from './photographs.ts'
import { randomMutants } from './random.ts'
import { reconstructionMutants } from './reconstruction.ts'
import { judgingMutants } from './judging.ts'
import { keptRunMutants } from './keptRuns.ts'
import { rowKernelMutants } from './rowKernels.ts'
import { runMutants } from './runs.ts'
import { selfConditioningMutants } from './selfConditioning.ts'
import { smallDataMutants } from './smallData.ts'
import { stateAndAttentionMutants } from './stateAndAttention.ts'
import { threadMutants } from './threads.ts'
import { annotationMutants, optimizerMutants, orderMutants } from './training.ts'
import { toldTimeMutants } from './toldTimes.ts'
import { transformerMutants } from './transformers.ts'
import { edm2Mutants } from './edm2.ts'
import { unet2dMutants } from './unet2d.ts'
import { vocabularyMutants } from './vocabulary.ts'
import { vmapMutants } from './vmap.ts'
import { webgpuMutants } from './webgpu.ts'

/** All mutants, area by area. */
export const mutants: readonly Mutant[] = [
  ...derivativeMutants,
  ...graphMutants,
  ...kernelMutants,
  ...rowKernelMutants,
  ...randomMutants,
  ...limitMutants,
  ...layerMutants,
  ...stateAndAttentionMutants,
  ...besideMutants,
  ...endMutants,
  ...vocabularyMutants,
  ...lossMutants,
  ...optimizerMutants,
  ...ownTrainingMutants,
  ...cookbookMutants,
  ...diffusionMutants,
  ...noiseMutants,
  ...diffusersFolderMutants,
  ...samplerMutants,
  ...guidanceMutants,
  ...selfConditioningMutants,
  ...toldTimeMutants,
  ...learnedVarianceMutants,
  ...assignmentMutants,
  ...annotationMutants,
  ...vmapMutants,
  ...loopMutants,
  ...orderMutants,
  ...keptRunMutants,
  ...messageMutants,
  ...deviceMutants,
  ...lostDeviceMutants,
  ...runMutants,
  ...pictureMutants,
  ...faultMutants,
  ...fileMutants,
  ...threadMutants,
  ...photographMutants,
  ...smallDataMutants,
  ...mixedMutants,
  ...reconstructionMutants,
  ...webgpuMutants,
  ...autoencoderMutants,
  ...judgingMutants,
  ...unet2dMutants,
  ...otherWayMutants,
  ...transformerMutants,
  ...edm2Mutants,
]
