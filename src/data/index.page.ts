/**
 * What of fathom/data needs no Node, hence what it is in a page: procedural seas, pictures by index, and the endless stream that training
 * draws from. Folders and their decoders need files.
 */
export { batchAt, collate, dataOfSeas, dataOfSet, heldOutShare, meanPicture, type TrainingData } from './batches.ts'
export type { ImageSet } from './imageSet.ts'
export * from './seas/index.ts'
