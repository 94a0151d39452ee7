/**
 * What of fathom/train needs no Node, hence what it is in a page: tasks, steps, the loop and its sinks, and a whole run on a device, data and a
 * store that it is given. Runs in directories are beside it in index.ts.
 */
export { lucidrainsAverage, type Averaging, type EveryAverage, type OneOrMore, type WidthAverages } from './averages.ts'
export type { ChosenAverage } from './chosenAverage.ts'
export { chooseTraining, type TrainingChoice } from './tasks/diffusion/choice/chooseTraining.ts'
export type { TrainingFacts } from './tasks/diffusion/choice/sketch.ts'
export { autoencoderConfigOf, classifierConfigOf, configOf, settings, textConfigOf } from './config.ts'
export type { RunFacts, TrainEvent, TrainHooks, TrainSummary } from './events.ts'
export type { Preparation } from './pictures/told.ts'
export { drain, steps, type Course } from './loop.ts'
export { memoryStore, type MemoryStore } from './memoryStore.ts'
export { fastestDevice, type FastestDevice } from './openDevice.ts'
export { nearest, suggestion } from '../prelude/nearest.ts'
export {
  initialState,
  recipeOf,
  trainingOf,
  type OptimizerState,
  type Recipe,
  type Training,
  type TrainState,
} from './recipe.ts'
export { overMicroBatches, overRanks, type Gradients, type Ranks, type Reduce } from './reduce.ts'
export { restore, type Restored } from './restore.ts'
export { beginRun, finishRun, prepareRun, runSinks, type Run, type RunParts } from './run.ts'
export type { RunConfig } from './runConfig.ts'
export { rewindMetrics } from './sinks/metrics.ts'
export type { Report, Sink } from './sinks/sink.ts'
export type { Progress } from './stateFiles.ts'
export { stepperOn, recipeStep, type StepMeasured, type Stepped, type Stepper } from './step.ts'
export { givenAt, type StepInputs } from './stepInputs.ts'
export type { CheckpointStore, Judge, Store, StoredCheckpoint } from './store.ts'
export type {
  Differentiate,
  Examples,
  LearnedBy,
  Learning,
  LearningStep,
  Loss,
  LossWithState,
  Phase,
  Measured,
  MeasuredLoss,
  Sheet,
  SheetWatch,
  Source,
  Task,
  TaskWords,
  Variables,
} from './task.ts'
export type {
  AdversaryConfig,
  AutoencoderRun,
  AutoencoderTaskConfig,
  FeaturesConfig,
  LossWeights,
  RunFeatures,
} from './tasks/autoencoder/autoencoderConfig.ts'
export { presets as autoencoderPresets } from './tasks/autoencoder/presets.ts'
export type { ModelConfig } from '../models/registry.ts'
export { diffusionTask, type DiffusionTask, type Draws, type StepPictures } from './tasks/diffusion/diffusionTask.ts'
export type { Diffusion, LoadedWeights, Params } from './tasks/diffusion/diffusion.ts'
export type { DiffusionConfig, DiffusionRun } from './tasks/diffusion/diffusionConfig.ts'
export { heldOutOn, type HeldOut } from './tasks/diffusion/heldOut.ts'
export { lossByLevelOn, type LossAtLevel, type LossByLevelOptions } from './tasks/diffusion/lossByLevel.ts'
export { presets, type Preset, type PresetName } from './tasks/diffusion/presets.ts'
export { encodeWeights } from './tasks/diffusion/weightsFile.ts'
export { pictureSource, type OpenedPictures } from './tasks/diffusion/source.ts'
export { sample, type Samples } from './tasks/diffusion/sample.ts'
export type { SampleOptions } from './tasks/diffusion/sampleOptions.ts'
export type { Filling } from './tasks/diffusion/filling.ts'
export {
  classificationRun,
  type ClassificationOptions,
  type ClassificationRun,
  type ClassifierDraws,
} from './tasks/classification/classificationTask.ts'
export type { Labelled } from './tasks/classification/labelled.ts'
export type { ClassificationRunConfig, ClassificationTaskConfig } from './tasks/classification/classificationConfig.ts'
export { presets as classifierPresets } from './tasks/classification/presets.ts'
export { confusionTable, type Told } from './tasks/classification/confusion.ts'
export type { Stretches } from './tasks/text/stretches.ts'
export { textRun, type TextDraws, type TextOptions, type TextRun } from './tasks/text/textTask.ts'
export { presets as textPresets } from './tasks/text/presets.ts'
export type { TextRunConfig, TextTaskConfig } from './tasks/text/textConfig.ts'
export { charactersOf, utf8Tokens, type Tokens } from './tasks/text/tokens.ts'
export { usualRun } from './usualRun.ts'
export { decodeConfig, taskOf, type TaskName, type TrainConfig } from './tasks/registry.ts'
export { wholeRun } from './wholeRun.ts'
export {
  trainStep,
  type LossAux,
  type LossGiven,
  type StepLoss,
  type StepState,
  type StepTold,
  type TrainStep,
  type TrainStepOptions,
} from './trainStep.ts'
export { showSettingError, type SettingError, type TrainError, type TrainErrorCode } from './trainError.ts'
