/**
 * The names and axes of diffusers' `AutoencoderKL` and `VQModel` (0.27.2 and newer, and the older names of their attention), as maps for `loadParams` and
 * `saveParams`.
 */
import type { Shape } from '../../graph/shape.ts'
import type { LayoutRule, NameMap, Rename } from '../../tensor/nameMap.ts'

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
  { pattern: /(\.attentions\.\d+)\.norm\./, to: '$1.group_norm.' },
]

/** What stands inside attention: names of today, and of before February 2023. */
const attentionNames: Readonly<Record<'new' | 'old', readonly (readonly [ours: string, theirs: string])[]>> = {
  new: [
    ['query', 'to_q'],
    ['key', 'to_k'],
    ['value', 'to_v'],
    ['out', 'to_out.0'],
  ],
  old: [
    ['query', 'query'],
    ['key', 'key'],
    ['value', 'value'],
    ['out', 'proj_attn'],
  ],
}

/** A linear layer of ours is a 1×1 convolution of theirs, except in attention, where it is one only in files that were made from LDM's. */
const layouts = (isConvolved: boolean): readonly LayoutRule[] => [
  { layout: 'HWIO->OIHW' },
  { layout: 'RC->RC', prefix: 'decoder.codebook' },
  ...(isConvolved ? [] : [{ layout: 'IO->OI', pattern: /\.attentions?(\.\d+)?\.(query|key|value|out)\.weight$/ }]),
  { layout: 'IO->OI11' },
]

/** Whether files hold the attention of old names, and as 1×1 convolutions. */
const ageOf = (found: ReadonlyMap<string, Shape>): { readonly isOld: boolean; readonly isConvolved: boolean } => {
  const queries = [...found].filter(([name]) => /attentions\.\d+\.(query|to_q)\.weight$/.test(name))
  return {
    isOld: queries.some(([name]) => name.endsWith('.query.weight')),
    isConvolved: queries.some(([, shape]) => shape.length === 4),
  }
}

/**
 * The names and axes of diffusers' state dictionary for a convolutional autoencoder of ours. Attention has had two sets of names, and in files made
 * from LDM's its layers are 1×1 convolutions: which it is in a file, its shapes say.
 *
 * @param found the shapes that lie in the file; without them the names are those of today
 */
export const diffusersNames = (found: ReadonlyMap<string, Shape> = new Map()): Required<NameMap> => {
  const { isOld, isConvolved } = ageOf(found)
  const inside = attentionNames[isOld ? 'old' : 'new'].map(([ours, theirs]): Rename => ({
    pattern: new RegExp(`(\\.attentions\\.\\d+)\\.${ours}\\.`),
    to: `$1.${theirs}.`,
  }))
  return { rename: [...places, ...inside], layout: layouts(isConvolved) }
}
