/**
 * fathom/train: runs. `train` begins one, `resume` continues it exactly, `load` and `sample` use what it learned.
 *
 * @module fathom/train
 */
export { configOf, decodeConfig, settings } from './config.ts'
export type { ModelConfig } from '../models/registry.ts'
export type { TrainConfig } from './trainConfig.ts'
export { planTraining, type TrainingPlan } from './dryRun.node.ts'
export type { RunFacts, TrainEvent, TrainHooks, TrainSummary } from './events.ts'
export { heldOutOn, type HeldOut } from './heldOut.ts'
export {
  load,
  loadWeights,
  sample,
  type LoadedRun,
  type LoadedWeights,
  type SampleOptions,
  type Samples,
  type WeightsOptions,
} from './load.node.ts'
export { nearest, suggestion } from '../prelude/nearest.ts'
export { presets, type Preset, type PresetName } from './presets.ts'
export { initialState, recipeOf, type OptimizerState, type Params, type Recipe, type TrainState } from './recipe.ts'
export {
  givenAt,
  stepperOn,
  trainStep,
  type Draws,
  type StepInputs,
  type StepPictures,
  type Stepped,
  type Stepper,
} from './step.ts'
export { resume, type ResumeChanges } from './resume.node.ts'
export { train } from './train.node.ts'
export { showSettingError, type SettingError, type TrainError, type TrainErrorCode } from './trainError.ts'
