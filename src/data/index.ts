/**
 * fathom/data: pictures to train on. Folders of photographs, procedural seas, and the endless stream that training draws from.
 *
 * @module fathom/data
 */
export * from './index.page.ts'
export type { DataError, DataErrorCode } from './folder/dataError.ts'
export {
  openImageFolder,
  type FolderImageSet,
  type FolderOptions,
  type FolderProgress,
  type FolderReport,
} from './folder/openImageFolder.node.ts'
export { scanFolder, type ScanOptions, type ScanProgress } from './folder/scanFolder.node.ts'
export {
  formatScan,
  scanToJson,
  summariseSkipped,
  type ImageFile,
  type ScanReport,
  type SkippedFile,
} from './folder/scanReport.ts'
export { loadImage } from './folder/loadImage.node.ts'
export { pictureSize, type PictureSize } from './folder/pictureSize.node.ts'
export type { DecodedImage, DecodeOptions } from './folder/decodeOptions.ts'
