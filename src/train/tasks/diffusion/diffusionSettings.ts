/** How the configurations of diffusion models are decoded and made. */
import { modelWith, withoutDefaults } from '../../../models/registry.ts'
import { record } from '../../../prelude/decode.ts'
import { isRecord } from '../../../prelude/record.ts'
import type { Named, Settings } from '../settings.ts'
import { checkDiffusion, conditionsOf, diffusionFields, type DiffusionRun } from './diffusionConfig.ts'
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

/** How many numbers the network is told of each picture, by settings that are not decoded yet. */
const toldBy = ({ labels, augment }: Named): number =>
  conditionsOf({
    ...(Array.isArray(labels) && { labels: labels.map(String) }),
    ...(typeof augment === 'number' && { augment }),
  })

/** How configurations of this task are decoded and made. */
export const diffusionSettings: Settings<DiffusionRun> = {
  task: 'diffusion',
  names: Object.keys(diffusionFields),
  decode: record(diffusionFields),
  withChoices,
  inside: (chosen, named) => {
    const { conditions: _, ...own } = chosen.model // of the preset's labels and changes, which may not be all
    const model = modelWith(own, named['model'])
    const told = toldBy({ ...chosen, ...named })
    return {
      model: isRecord(model) && told > 0 ? { conditions: told, ...model } : model,
      ...(named['augment'] !== undefined && named['flip'] === undefined && { flip: false }),
    }
  },
  check: checkDiffusion,
  presets,
  usualPreset: defaultPreset,
}
