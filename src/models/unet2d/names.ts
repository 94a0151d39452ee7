/** The names and axes of diffusers' `UNet2DModel` (0.27.2 and newer, and the older names of its attention), as maps for `loadParams` and `saveParams`. */
import type { Shape } from '../../graph/shape.ts'
import type { LayoutRule, NameMap, Rename } from '../../tensor/nameMap.ts'
import { leavesWithPaths } from '../../tensor/tree.ts'
import { attentionNames } from '../diffusersAttention.ts'

/** Our names and theirs: places first, then what stands inside a block. */
const places: readonly Rename[] = [
  { prefix: 'stem.', to: 'conv_in.' },
  { prefix: 'norm.', to: 'conv_norm_out.' },
  { prefix: 'head.', to: 'conv_out.' },
  { prefix: 'time.embedding.', to: 'time_proj.' },
  { prefix: 'time.hidden.', to: 'time_embedding.linear_1.' },
  { prefix: 'time.out.', to: 'time_embedding.linear_2.' },
  { prefix: 'time.condition.hidden.', to: 'class_embedding.linear_1.' },
  { prefix: 'time.condition.out.', to: 'class_embedding.linear_2.' },
  { prefix: 'time.condition.', to: 'class_embedding.' },
  { prefix: 'middle.block1.', to: 'mid_block.resnets.0.' },
  { prefix: 'middle.block2.', to: 'mid_block.resnets.1.' },
  { prefix: 'middle.attention.', to: 'mid_block.attentions.0.' },
  { pattern: /^(down|up)\.(\d+)\.blocks\./, to: '$1_blocks.$2.resnets.' },
  { pattern: /^(down|up)\.(\d+)\.attentions\./, to: '$1_blocks.$2.attentions.' },
  { pattern: /^down\.(\d+)\.resize\./, to: 'down_blocks.$1.downsamplers.0.' },
  { pattern: /^up\.(\d+)\.resize\./, to: 'up_blocks.$1.upsamplers.0.' },
  { pattern: /^(down|up)\.(\d+)\.image\.(?:project|conv)\./, to: '$1_blocks.$2.skip_conv.' },
  { pattern: /^up\.(\d+)\.image\.norm\./, to: 'up_blocks.$1.skip_norm.' },
  { pattern: /\.time\./, to: '.time_emb_proj.' },
  { pattern: /\.skip\./, to: '.conv_shortcut.' },
]

/** What stands inside a transformer; it is renamed behind what else is called attention. */
const transformers: readonly Rename[] = [
  { pattern: /(\.transformers?(?:\.\d+)?)\.first\./, to: '$1.proj_in.' },
  { pattern: /(\.transformers?(?:\.\d+)?)\.last\./, to: '$1.proj_out.' },
  { pattern: /(\.transformers?(?:\.\d+)?)\.blocks\./, to: '$1.transformer_blocks.' },
  { pattern: /\.own\.(?=query|key|value|out)/, to: '.attn1.' },
  { pattern: /\.cross\.(?=query|key|value|out)/, to: '.attn2.' },
  { pattern: /\.(attn[12])\.query\./, to: '.$1.to_q.' },
  { pattern: /\.(attn[12])\.key\./, to: '.$1.to_k.' },
  { pattern: /\.(attn[12])\.value\./, to: '.$1.to_v.' },
  { pattern: /\.(attn[12])\.out\./, to: '.$1.to_out.0.' },
  { pattern: /\.feed\.hidden\./, to: '.ff.net.0.proj.' },
  { pattern: /\.feed\.out\./, to: '.ff.net.2.' },
  { prefix: 'middle.transformer.', to: 'mid_block.attentions.0.' },
  { pattern: /^(down|up)\.(\d+)\.transformers\./, to: '$1_blocks.$2.attentions.' },
]

/** PyTorch's axes. A 1×1 convolution of theirs is a linear layer of ours, except where theirs is one too: of times, and in attention. */
const layouts: readonly LayoutRule[] = [
  { layout: 'HWIO->OIHW' },
  { layout: 'RC->RC', prefix: 'time.embedding.' },
  { layout: 'RC->RC', prefix: 'time.condition.weight' },
  { layout: 'IO->OI', prefix: 'time.' },
  { layout: 'IO->OI', suffix: '.time.weight' },
  { layout: 'IO->OI', pattern: /\.transformers?\./ },
]

/** Stages with a small image name the block that changes their size by its direction. */
const resizing = (template: unknown): readonly Rename[] =>
  leavesWithPaths(template).flatMap(([path]) => {
    const [, way = '', number = ''] = /^(down|up)\.(\d+)\.image\.(?:project|conv)\.weight$/.exec(path) ?? []
    return way === '' ? [] : [{ prefix: `${way}.${number}.resize.`, to: `${way}_blocks.${number}.resnet_${way}.` }]
  })

/**
 * The names and axes of diffusers' state dictionary for parameters of {@link unet2d}, as a map for `loadParams` and `saveParams`.
 *
 * @param template parameters of the network: which of its stages have a small image beside the large one shows in them
 * @param found the shapes that lie in the file, which say how old its names are; without them the names are those of today
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { placesOf } from 'fathom/io'
 * import { unet2d, unet2dNames } from 'fathom/models'
 *
 * const params = unet2d({ widths: [8], layers: 1, groups: 4, down: ['attention'] }).init(key(0))
 * const places = placesOf(params, unet2dNames(params))
 * places.find(({ path }) => path === 'down.0.attentions.0.out.weight') // => { name: 'down_blocks.0.attentions.0.to_out.0.weight', shape: [8, 8], … }
 * ```
 */
export const unet2dNames = (template: unknown, found: ReadonlyMap<string, Shape> = new Map()): Required<NameMap> => {
  const attention = attentionNames(found)
  return {
    rename: [...resizing(template), ...places, ...attention.rename, ...transformers],
    layout: [...layouts, ...attention.layout, { layout: 'IO->OI11' }],
  }
}
