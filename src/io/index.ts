/**
 * fathom/io: files. safetensors, checkpoints and their lock, PNG, sheets of pictures, charts, metric logs. Errors are
 * TaskEither records.
 *
 * @module fathom/io
 */
export * from './index.page.ts'
export { readSafetensorsFile, writeSafetensorsFile } from './safetensors.node.ts'
export { loadParams, loadTensors, saveParams, type LoadParamsError, type SaveParamsOptions } from './params.node.ts'
export {
  readModelFolder,
  writeModelFolder,
  type DiffusersError,
  type DiffusersFolderError,
  type ModelFolder,
  type ModelToWrite,
} from './diffusers/modelFolder.node.ts'
export {
  loadDiffusers,
  type DiffusersInput,
  type LoadDiffusersError,
  type LoadedDiffusers,
} from './diffusers/loadDiffusers.node.ts'
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
export { decodePng, encodePng } from './png.ts'
export {
  appendMetric,
  readMetrics,
  salvageMetrics,
  truncateMetricsAfter,
  type MetricsError,
} from './metricsLog.node.ts'
