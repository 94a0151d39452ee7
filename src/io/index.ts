/**
 * fathom/io: files. safetensors, checkpoints and their lock, PNG, sheets of pictures, charts, metric logs. Errors are
 * TaskEither records.
 *
 * @module fathom/io
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
export { readSafetensorsFile, writeSafetensorsFile } from './safetensors.node.ts'
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
export { loadParams, loadTensors, saveParams, type LoadParamsError, type SaveParamsOptions } from './params.node.ts'
export type { Destination, FileSystem, FileSystemError, WriteMode } from './fileSystem.ts'
export { nodeFileSystem } from './fileSystem.node.ts'
export { makeDurableDirectory } from './durableDirectory.node.ts'
export { removeLeftovers } from './leftovers.node.ts'
export { replaceFile } from './replaceFile.node.ts'
export { saveCheckpoint } from './checkpoint.node.ts'
export { completeSave, holdsCheckpoint, newestCheckpoint, type ReadOptions } from './newestCheckpoint.node.ts'
export type { CheckpointError, CheckpointOptions, LoadedCheckpoint, SkippedCheckpoint } from './checkpoint.node.ts'
export { withdrawCheckpoint } from './withdrawCheckpoint.node.ts'
export type { SignsOfLife } from './signsOfLife.node.ts'
export { nodeProcesses, type Processes } from './processes.node.ts'
export { acquireRunLock, type RunLock, type RunLockError, type RunLockOptions } from './runLock.node.ts'
export { decodePng, encodePng, type PixelImage } from './png.ts'
export { imageGrid, type ImageGridOptions } from './imageGrid.ts'
export { lineChart, type ChartSeries, type LineChart } from './lineChart.ts'
export type { MetricRecord, SalvagedMetrics } from './metricRecord.ts'
export {
  appendMetric,
  readMetrics,
  salvageMetrics,
  truncateMetricsAfter,
  type MetricsError,
} from './metricsLog.node.ts'
