/** How the configurations of diffusion models are decoded and made. */
import { modelWith, withoutDefaults } from '../../../models/registry.ts'
import { record } from '../../../prelude/decode.ts'
import type { Named, Settings } from '../settings.ts'
import { checkDiffusion, diffusionFields, type DiffusionRun } from './diffusionConfig.ts'
import { defaultPreset, presets } from './presets.ts'

/**
 * Runs that were written before there was a choice weigh by the ratio, and say nothing of their task, of the kind of their network, nor of channels,
 * which were 3.
 */
const withChoices = (input: Named): Named => {
  const { channels, task: _, ...others } = input
  const model = 'model' in input && { model: withoutDefaults(input['model']) }
  return { weighting: 'snr', ...others, ...model, ...(channels !== undefined && channels !== 3 && { channels }) }
}

/** How configurations of this task are decoded and made. */
export const diffusionSettings: Settings<DiffusionRun> = {
  names: Object.keys(diffusionFields),
  decode: record(diffusionFields),
  withChoices,
  inside: (chosen, named) => ({ model: modelWith(chosen.model, named['model']) }),
  check: checkDiffusion,
  presets,
  usualPreset: defaultPreset,
}
