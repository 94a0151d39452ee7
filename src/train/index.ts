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
export { classesIn, type FoundClasses } from './tasks/classification/classes.node.ts'
export { classify, type Answer, type Answers, type ClassifyOptions } from './tasks/classification/classify.node.ts'
export { write, type WriteOptions, type Written } from './tasks/text/write.node.ts'
export { alphabetIn } from './tasks/text/readText.node.ts'
export { labelsIn } from './pictures/labelsIn.node.ts'
export { whichWeights, type WhichWeights } from './learned.node.ts'
export { load, type LoadedRun } from './load.node.ts'
export { resume } from './resume.node.ts'
export type { ResumeChanges } from './resumeChanges.ts'
export { featuresOfRun } from './tasks/autoencoder/features.node.ts'
export { loadAutoencoder, type LoadedAutoencoder } from './tasks/autoencoder/loadAutoencoder.node.ts'
export { reconstruct, type ReconstructOptions, type Reconstructions } from './tasks/autoencoder/reconstruct.node.ts'
export { previewOf, sheetsOf } from './tasks/diffusion/sheet.ts'
export { encodePictures, type EncodedPictures, type EncodeOptions } from './tasks/diffusion/encode.node.ts'
export { loadWeights, type WeightsOptions } from './tasks/diffusion/weights.node.ts'
export { train } from './train.node.ts'
