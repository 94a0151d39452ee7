/**
 * What of fathom/data needs no Node, hence what it is in a page: procedural seas, pictures by index, the endless stream that training
 * draws from, and how near reconstructions come. Folders and their decoders need files.
 */
export { batchAt, collate, dataOfSeas, dataOfSet, heldOutShare, meanPicture, type TrainingData } from './batches.ts'
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
export type { ImageSet } from './imageSet.ts'
export * from './seas/index.ts'
