/**
 * The names and axes of diffusers' `AutoencoderKL` and `VQModel` (0.27.2 and newer, and the older names of their attention), as maps for `loadParams` and
 * `saveParams`.
 */
import type { Shape } from '../../graph/shape.ts'
import type { LayoutRule, NameMap, Rename } from '../../tensor/nameMap.ts'
import { attentionNames } from '../diffusersAttention.ts'

const sides = '(encoder|decoder)'

/** Our names and theirs: places first, then what stands inside a block. */
const places: readonly Rename[] = [
  { prefix: 'encoder.quant.', to: 'quant_conv.' },
  { prefix: 'decoder.postQuant.', to: 'post_quant_conv.' },
  { prefix: 'decoder.codebook', to: 'quantize.embedding.weight' },
  { pattern: new RegExp(`^${sides}\\.stem\\.`), to: '$1.conv_in.' },
  { pattern: new RegExp(`^${sides}\\.norm\\.`), to: '$1.conv_norm_out.' },
  { pattern: new RegExp(`^${sides}\\.head\\.`), to: '$1.conv_out.' },
  { pattern: new RegExp(`^${sides}\\.middle\\.block1\\.`), to: '$1.mid_block.resnets.0.' },
  { pattern: new RegExp(`^${sides}\\.middle\\.block2\\.`), to: '$1.mid_block.resnets.1.' },
  { pattern: new RegExp(`^${sides}\\.middle\\.attention\\.`), to: '$1.mid_block.attentions.0.' },
  { pattern: /^encoder\.down\.(\d+)\.resize\./, to: 'encoder.down_blocks.$1.downsamplers.0.' },
  { pattern: /^decoder\.up\.(\d+)\.resize\./, to: 'decoder.up_blocks.$1.upsamplers.0.' },
  { pattern: /^(encoder\.down|decoder\.up)\.(\d+)\.blocks\./, to: '$1_blocks.$2.resnets.' },
  { pattern: /^(encoder\.down|decoder\.up)\.(\d+)\.attentions\./, to: '$1_blocks.$2.attentions.' },
  { pattern: /\.skip\./, to: '.conv_shortcut.' },
]

/** A linear layer of ours is a 1×1 convolution of theirs, except in attention. */
const layouts: readonly LayoutRule[] = [{ layout: 'HWIO->OIHW' }, { layout: 'RC->RC', prefix: 'decoder.codebook' }]

/**
 * The names and axes of diffusers' state dictionary for a convolutional autoencoder of ours.
 *
 * @param found the shapes that lie in the file; without them the names are those of today
 */
export const diffusersNames = (found: ReadonlyMap<string, Shape> = new Map()): Required<NameMap> => {
  const attention = attentionNames(found)
  return {
    rename: [...places, ...attention.rename],
    layout: [...layouts, ...attention.layout, { layout: 'IO->OI11' }],
  }
}
