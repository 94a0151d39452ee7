/**
 * What of fathom/data needs no Node, hence what it is in a page: procedural seas, pictures by index, the endless stream that training
 * draws from, and how near reconstructions come. Folders and their decoders need files.
 */
export {
  fitLinearProjection,
  linearProjectionQuality,
  projectLinearly,
  type CodeSize,
  type LinearProjection,
} from './quality/linearProjection.ts'
export { decibels, meanSquaredError, psnr } from './quality/psnr.ts'
export { reconstructionQuality, type ReconstructionQuality } from './quality/reconstruction.ts'
export { ssim, type PictureSize } from './quality/ssim.ts'
export {
  batchAt,
  collate,
  conditionsAt,
  dataOfEncoded,
  dataOfSeas,
  dataOfSet,
  meanPicture,
  type SetOptions,
  type TrainingData,
} from './batches.ts'
export { batches, splitRows, type Batches, type BatchOptions } from './arrays/batches.ts'
export { takeRows, type Rows } from './arrays/rows.ts'
export { augmentationNames, augmented, withAugmentation, type Augmented, type AugmentOptions } from './augment.ts'
export { withMargin, type CropSize } from './crop.ts'
export { folderLabels, type FolderLabels, type Labels } from './labels.ts'
export { heldOutShare } from './split.ts'
export type { ImageSet } from './imageSet.ts'
export { copyOf, copyRatio, type CopyReport } from './likeness/copies.ts'
export { likeness } from './likeness/likeness.ts'
export { nearDuplicates, type DuplicateOptions, type NearDuplicates } from './likeness/nearDuplicates.ts'
export { pictureIndex, type Neighbour, type PictureIndex, type SearchOptions } from './likeness/pictureIndex.ts'
export type { PictureShape } from './resample.ts'
export * from './seas/index.ts'
