/** What stands between the ways down and up of `UNet2DModel`, at the smallest size: a block, attention, a block. */
import { compose, type Module } from '../../nn/module.ts'
import { at } from '../../prelude/array.ts'
import type { ImageAttentionParams } from '../diffusersAttention.ts'
import type { Conditioned } from '../lucidrains/resBlock.ts'
import type { ResidualParams } from './blocks.ts'
import type { Layers, Unet2dOptions } from './layers.ts'
import { groupsOf, type BlockSize } from './stages.ts'

/** The parameters of what stands between the ways down and up. */
export interface Unet2dMiddleParams {
  readonly block1: ResidualParams
  readonly attention: ImageAttentionParams | undefined
  readonly block2: ResidualParams
}

/** The middle of a network. In one whose time scales and shifts, its attention has no norm, unless it is given groups of its own. */
export const middleOf = (
  settings: Unet2dOptions,
  { block, attention }: Layers,
): Module<Unet2dMiddleParams, Conditioned> => {
  const { widths, attention: isAttentive = true, scaleShift = false, middleGroups, middleScale: scale = 1 } = settings
  const width = at(widths, widths.length - 1)
  const groups = groupsOf(settings, width)
  const size: BlockSize = { inputs: width, outputs: width, groups: [groups, groups] }
  return compose(
    {
      block1: block(size, { scale }),
      attention: isAttentive ? attention(width, middleGroups ?? (scaleShift ? undefined : groups), scale) : undefined,
      block2: block(size, { scale }),
    },
    ({ block1, attention, block2 }, { x, time }: Conditioned) => {
      const first = block1({ x, time })
      return block2({ x: attention === undefined ? first : attention(first), time })
    },
  )
}
