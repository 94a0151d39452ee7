/** How the configurations of a text model's training are decoded and made. */
import { record } from '../../../prelude/decode.ts'
import { networkOver, type Settings } from '../settings.ts'
import { presets } from './presets.ts'
import { checkText, textFields, type TextRunConfig } from './textConfig.ts'

/** How configurations of this task are decoded and made. */
export const textSettings: Settings<TextRunConfig> = {
  task: 'text',
  names: Object.keys(textFields),
  decode: record(textFields),
  withChoices: (settings) => settings,
  inside: (chosen, named) => ({
    task: named['task'] ?? 'text',
    model: networkOver(chosen.model, named['model'], ['gpt'], () => chosen.model),
  }),
  check: checkText,
  presets,
  usualPreset: 'text-128',
}
