/** What stands between the ways down and up of `UNet2DModel`, at the smallest size: a block, attention, a block. */
import { compose, type Module } from '../../nn/module.ts'
import { at } from '../../prelude/array.ts'
import type { ImageAttentionParams } from '../diffusersAttention.ts'
import type { ResidualParams } from './blocks.ts'
import { worded, type Layers, type Passing, type Unet2dOptions } from './layers.ts'
import { groupsOf, headsOf, type BlockSize } from './stages.ts'
import type { TokenTransformerParams } from './transformer.ts'

/** The parameters of what stands between the ways down and up. */
export interface Unet2dMiddleParams {
  readonly block1: ResidualParams
  readonly attention: ImageAttentionParams | undefined
  readonly transformer: TokenTransformerParams | undefined
  readonly block2: ResidualParams
}

/** What the middle is given. */
type Middle = Omit<Passing, 'small'>

/** The middle of a network. In one whose time scales and shifts, its attention has no norm, unless it is given groups of its own. */
export const middleOf = (
  settings: Unet2dOptions,
  { block, attention, transformer }: Layers,
): Module<Unet2dMiddleParams, Middle> => {
  const { widths, attention: isAttentive = true, scaleShift = false, middleGroups, middleScale: scale = 1 } = settings
  const width = at(widths, widths.length - 1)
  const groups = groupsOf(settings, width)
  const size: BlockSize = { inputs: width, outputs: width, groups: [groups, groups] }
  return compose(
    {
      block1: block(size, { scale }),
      attention:
        isAttentive === true ? attention(width, middleGroups ?? (scaleShift ? undefined : groups), scale) : undefined,
      transformer:
        isAttentive === 'cross' ? transformer(width, headsOf(settings, widths.length - 1), groups) : undefined,
      block2: block(size, { scale }),
    },
    ({ block1, attention, transformer, block2 }, { x, time, tokens }: Middle) => {
      const first = block1({ x, time })
      const seen = attention === undefined ? first : attention(first)
      return block2({ x: worded(transformer, seen, tokens), time })
    },
  )
}
