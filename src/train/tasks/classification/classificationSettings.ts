/** How the configurations of a classifier's training are decoded and made. */
import { classifierDefaults, classifierKinds } from '../../../models/classifierRegistry.ts'
import { record } from '../../../prelude/decode.ts'
import { networkOver, type Settings } from '../settings.ts'
import { checkClassification, classificationFields, type ClassificationRunConfig } from './classificationConfig.ts'
import { presets } from './presets.ts'

/** How configurations of this task are decoded and made. */
export const classificationSettings: Settings<ClassificationRunConfig> = {
  task: 'classification',
  names: Object.keys(classificationFields),
  decode: record(classificationFields),
  withChoices: ({ channels, ...settings }) => ({
    ...settings,
    ...(channels !== undefined && channels !== 3 && { channels }),
  }),
  inside: (chosen, named) => ({
    task: named['task'] ?? 'classification',
    model: networkOver(chosen.model, named['model'], classifierKinds, classifierDefaults),
    several: named['several'] ?? (named['folder'] ?? null) === null,
  }),
  check: checkClassification,
  presets,
  usualPreset: 'classes-32',
}
