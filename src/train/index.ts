/**
 * fathom/train: runs. `train` begins one, `resume` continues it exactly, `load` and `sample` use what it learned.
 *
 * Underneath, a {@link Task} is trained by `stepperOn`, step by step by `steps`, whose reports go to sinks.
 *
 * @module fathom/train
 */
export * from './index.page.ts'
export { trainingFacts } from './tasks/diffusion/choice/trainingFacts.node.ts'
export { planTraining, type TrainingPlan } from './dryRun.node.ts'
export { exportDiffusers, type ExportOptions } from './tasks/diffusion/exportDiffusers.node.ts'
export { importDiffusers, type Imported, type ImportOptions } from './tasks/diffusion/importDiffusers.node.ts'
export { labelsIn } from './pictures/labelsIn.node.ts'
export { load, whichWeights, type LoadedRun, type WhichWeights } from './load.node.ts'
export { resume } from './resume.node.ts'
export type { ResumeChanges } from './resumeChanges.ts'
export { featuresOfRun } from './tasks/autoencoder/features.node.ts'
export { loadAutoencoder, type LoadedAutoencoder } from './tasks/autoencoder/loadAutoencoder.node.ts'
export { reconstruct, type ReconstructOptions, type Reconstructions } from './tasks/autoencoder/reconstruct.node.ts'
export { previewOf, sheetsOf } from './tasks/diffusion/sheet.ts'
export { encodePictures, type EncodedPictures, type EncodeOptions } from './tasks/diffusion/encode.node.ts'
export { loadWeights, type WeightsOptions } from './tasks/diffusion/weights.node.ts'
export { train } from './train.node.ts'
