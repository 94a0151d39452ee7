/** Every bug of the mutation proof. */
import { derivativeMutants } from './derivatives.ts'
import { diffusionMutants } from './diffusion.ts'
import { graphMutants } from './graph.ts'
import { kernelMutants } from './kernels.ts'
import { layerMutants, lossMutants } from './layers.ts'
import type { Mutant } from './mutant.ts'
import { randomMutants } from './random.ts'
import { keptRunMutants } from './keptRuns.ts'
import { annotationMutants, optimizerMutants, orderMutants } from './training.ts'

/** All mutants, area by area. */
export const mutants: readonly Mutant[] = [
  ...derivativeMutants,
  ...graphMutants,
  ...kernelMutants,
  ...randomMutants,
  ...layerMutants,
  ...lossMutants,
  ...optimizerMutants,
  ...diffusionMutants,
  ...annotationMutants,
  ...orderMutants,
  ...keptRunMutants,
]
