/**
 * What of fathom/io needs no Node, hence what it is in a page: safetensors and trees of parameters as bytes, sheets of pictures, charts. What
 * reads and writes files is beside it in index.ts.
 */
export {
  bitsPerElement,
  toFloat32,
  type ArrayRecord,
  type ForeignDType,
  type NotFloatError,
  type RecordDType,
} from './arrayRecord.ts'
export {
  readSafetensors,
  writeSafetensors,
  type Safetensors,
  type SafetensorsCode,
  type SafetensorsError,
} from './safetensors.ts'
export {
  misfitsOf,
  placesOf,
  torchLayouts,
  type LayoutRule,
  type Misfit,
  type NameMap,
  type Place,
  type Rename,
} from '../tensor/nameMap.ts'
export { recordsOf, tensorsOf, treeFrom, type ParamsError, type ReadParamsOptions } from './params.ts'
export type { FormatError, UnreadableError } from './weightsFormat.ts'
export type { Destination, FileSystem, FileSystemError, WriteMode } from './fileSystem.ts'
export type { PixelImage } from './png.ts'
export { imageGrid, type ImageGridOptions } from './imageGrid.ts'
export { lineChart, type ChartSeries, type LineChart } from './lineChart.ts'
export type { MetricRecord, SalvagedMetrics } from './metricRecord.ts'
